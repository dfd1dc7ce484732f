"""Finds how an attention wants to be called: tries the common conventions, and keeps the first in which all fits."""

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from course_utils.contract.calling import arguments
from course_utils.contract.convention import Convention
from course_utils.contract.masking import mask_shapes, with_mask_found
from course_utils.contract.probing import dims_for, fits, is_causal, keeps_values, try_it
from course_utils.contract.reading import Reading, heads_of, knows_places, orders, read_signature, size_of
from course_utils.contract.subject import Subject, explain

LAYOUTS = (
    "batch length size",
    "length batch size",
    "batch heads length size",
    "batch length heads size",
    "length size",
)


WEIGHT_SHAPES = (
    "batch heads query key",
    "batch query key",
    "heads batch query key",
    "batch*heads query key",
    "query key",
)
SHALLOW = ("RuntimeError", "EinopsError", " argument")  # wrong sizes, wrong arguments: any other error lies deeper


@dataclass
class Found:
    """The convention that fits, or None; and what was tried, in a sentence."""

    convention: Convention | None
    tried: str
    wants_more: bool = False


def discover(attention: Callable, declared: dict[str, Any]) -> Found:
    """Tries orders of arguments, layouts, sizes, ways to return and masks; what is declared stays as it is."""
    reading = read_signature(attention)
    if needs := missing(reading, declared):
        named = ", ".join(f'"{name}": …' for name in needs)
        options = " ".join(f"--argument {name}=…" for name in needs)
        text = f"It also needs {' and '.join(needs)}: declare arguments={{{named}}} (in a shell: {options})."
        return Found(None, text, wants_more=True)
    attention = copy.deepcopy(attention) if isinstance(attention, nn.Module) else attention
    count, second, reasons = 0, None, []
    for convention in _supposed(attention, reading, declared):
        count += 1
        returns, problem = _returned(attention, convention, declared, reading)
        if returns is None:
            reasons.append(problem)
            continue
        subject = try_it(attention, returns)
        if subject is None:
            continue
        try:
            right = fits(subject)
        except Exception:  # it ran once, and not again: another convention may do better
            right = False
        if right:
            return Found(_with_traits(attention, returns, declared, reading), "")
        second = second or returns
    if second is not None:  # it runs, though something is mixed that should not be: the audit says what
        return Found(_with_traits(attention, second, declared, reading), "")
    return Found(None, _sentence(reading, count, reasons))


def _supposed(attention: Callable, reading: Reading, declared: dict[str, Any]) -> Iterator[Convention]:
    """The conventions to try without a mask, the likeliest first."""
    heads, sizes = heads_of(attention), size_of(attention)
    parameters = isinstance(attention, nn.Module) and any(True for _ in attention.parameters())
    for order, size, layout, equal in itertools.product(
        [declared["order"]] if "order" in declared else orders(reading),
        [declared["size"]] if "size" in declared else sizes,
        [declared["layout"]] if "layout" in declared else LAYOUTS,
        [declared["equal_lengths"]] if "equal_lengths" in declared else (False, True),
    ):
        if equal and order == "source":
            continue
        axis = "heads" in layout.split()
        guess = {"order": order, "size": size, "layout": layout, "equal_lengths": equal, "mask": None}
        guess["heads"] = heads if heads > 1 else 2 if axis else 1
        guess["projects"] = parameters
        try:
            yield replace(Convention(), **{**guess, **declared, **_mask_in_place(reading, declared)})
        except ValueError:  # heads that do not divide the size
            if not axis and "heads" not in declared:
                yield replace(Convention(), **{**guess, "heads": 1, **declared, **_mask_in_place(reading, declared)})


def _mask_in_place(reading: Reading, declared: dict[str, Any]) -> dict[str, Any]:
    """First, no mask; one that is required is given as None by name, which most take for no mask."""
    if "mask" in declared or any(name.startswith("mask") for name in declared):
        return {}
    return {"mask": None}


def _returned(
    attention: Callable, convention: Convention, declared: dict[str, Any], reading: Reading
) -> tuple[Convention | None, str]:
    """The convention with the way in which it returns; or None, and what it raised."""
    if not reading.known or not reading.masks:
        tries = [convention]
    else:
        mask = reading.masks[0]
        tries = [convention, replace(convention, arguments={**convention.arguments, mask: None})]
        if "len" in mask:
            tries.append(replace(convention, mask="lengths", mask_name=mask))
        else:
            tries += [
                replace(convention, mask="attend", mask_name=mask, mask_shape=one) for one in mask_shapes(convention)
            ]
    problem = ""
    for one in tries:
        try:
            probe = Subject(attention, replace(one, returns=lambda found: found), [])
            given = probe.draw(dims_for(one, one.size), 0)
            tensors, keywords = arguments(one, given, probe.wants_mask)
            found = probe.run(tensors, keywords, given.query.dtype)
        except Exception as error:
            problem = problem or explain(error)
            continue
        parts = list(found) if isinstance(found, tuple | list) else [found]
        if not isinstance(parts[0], Tensor):
            problem = problem or f"It returned a {type(parts[0]).__name__}."
            continue
        for returns in [declared["returns"]] if "returns" in declared else _ways(parts):
            for weights in [declared["weights_shape"]] if "weights_shape" in declared else (None, *WEIGHT_SHAPES):
                if "weights" not in str(returns) and weights is not None:
                    continue
                supposed = replace(one, returns=returns, weights_shape=weights)
                if try_it(attention, supposed) is not None:
                    return supposed, ""
        problem = problem or f"What it returned has the shape {tuple(parts[0].shape)}."
    return None, problem


def _ways(parts: list) -> list[str]:
    if len(parts) == 1:
        return ["context", "first"]
    if len(parts) == 2:
        return ["context weights", "weights context", "first"]
    return ["first"]


def _with_traits(attention: Callable, convention: Convention, declared: dict[str, Any], reading: Reading) -> Convention:
    """Adds what behaviour tells: causal, projects, positions, and the mask."""
    subject = Subject(attention, convention, [dims_for(convention, convention.size)])
    told: dict[str, Any] = {}
    for name, test in (("causal", is_causal), ("projects", lambda one: not keeps_values(one))):
        if name not in declared and (name == "causal" or convention.projects):
            try:
                told[name] = test(subject)
            except Exception:
                told[name] = getattr(convention, name)
    if "positions" not in declared and knows_places(attention):
        told["positions"] = True
    if convention.size is None and not _is_free(attention, convention):
        told["size"] = subject.dims[0].size
    convention = replace(convention, **told)
    if any(name.startswith("mask") for name in declared) or (reading.known and not reading.masks):
        return convention
    return with_mask_found(attention, convention, reading)


def _is_free(attention: Callable, convention: Convention) -> bool:
    """Whether it takes other sizes than that with which it was tried."""
    return try_it(attention, replace(convention, size=6 * convention.heads)) is not None


def missing(reading: Reading, declared: dict[str, Any]) -> list[str]:
    """The arguments that it requires, that are neither tensors nor a mask, and that nobody declared."""
    return [name for name in reading.wanted if name not in declared.get("arguments", {})]


def _sentence(reading: Reading, count: int, reasons: list[str]) -> str:
    """What was tried, what came of the likeliest try, and what to pass."""
    telling = [one for one in reasons if not any(word in one for word in SHALLOW)]
    said = (telling or reasons or [""])[0]
    more = f" It may also want {' or '.join(reading.others[:3])}: declare arguments." if reading.others else ""
    return (
        f"{count} conventions were tried, none ran; the likeliest: {said}{more} Declare what you know: "
        "order, layout, size, heads, returns, arguments (in a shell: --order, --layout, --size …); "
        "or audit a function around it that takes query, key and value."
    )
