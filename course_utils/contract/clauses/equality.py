"""The clause that holds an attention against PyTorch's own, or against a reference that was named."""

import math
from collections.abc import Iterator
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.contract.cases import Dims, Inputs, shapes
from course_utils.contract.clauses.base import Clause, gap, masked_or_not, number, place_of, worst
from course_utils.contract.hiding import visible
from course_utils.contract.subject import Subject

EQUAL = 1e-4
LARGER = (16, 64, 128)  # sizes of real heads, where a wrong scale that small ones do not show is plain
HINTS = (  # what the scores were divided by, from the size of a head and the number of heads, in place of its root
    (lambda size, heads: math.sqrt(size), "Without a mask it is right."),
    (lambda size, heads: 1, "So it comes out without the root of the size."),
    (lambda size, heads: size, "So it comes out with the size in place of its root."),
    (lambda size, heads: math.sqrt(size * heads), "So it comes out with the root of all heads' size, not of one's."),
)


def _differs(subject: Subject, given: Inputs) -> str:
    found = subject(given).context
    wanted = expected(subject, given)
    off = gap(found, wanted)
    if off.max() <= EQUAL * max(1.0, float(wanted.abs().max())):
        return ""
    place = worst(off)
    sentence = (
        f"Feature {place[-1]} of {place_of(place, 'query')} is {number(found[place])}, "
        f"expected {number(wanted[place])}."
    )
    return f"{sentence} {_hint(subject)}".strip()


def _hint(subject: Subject) -> str:
    """The sentence on a divisor that explains every answer without a mask, or "" where none does."""
    convention = subject.convention
    if convention.reference is not None:
        return ""
    for divisor, hint in HINTS:
        for given in subject.plain():
            size = given.dims.size // (1 if convention.has_heads_axis else convention.heads)
            wanted = expected(subject, given, math.sqrt(size) / divisor(size, convention.heads))
            if gap(subject(given).context, wanted).max() > EQUAL * max(1.0, float(wanted.abs().max())):
                break
        else:
            return hint
    return "If it scores in another way on purpose, declare rule=None."


def expected(subject: Subject, given: Inputs, factor: float = 1.0) -> Tensor:
    """What PyTorch's function, or the reference that was named, gives; `factor` changes the scale of the scores."""
    convention = subject.convention
    seen = visible(convention, given)
    if callable(convention.reference):
        tensors = [given.query, given.key, given.value]
        if not convention.has_heads_axis:
            tensors, seen = [tensor.squeeze(1) for tensor in tensors], seen.squeeze(1)
        with torch.no_grad():
            found = convention.reference(*tensors, seen)
        found = found[0] if isinstance(found, tuple) else found
        return found if convention.has_heads_axis else found.unsqueeze(1)
    heads = 1 if convention.has_heads_axis else convention.heads
    query, key, value = (
        tensor.double().unflatten(-1, (heads, -1)).transpose(-3, -2) for tensor in (given.query, given.key, given.value)
    )  # (batch, heads axis, length, size) → (batch, heads axis, heads, length, size of a head)
    scale = factor / math.sqrt(query.shape[-1])
    context = F.scaled_dot_product_attention(query, key, value, attn_mask=seen[:, :, None], scale=scale)
    return context.transpose(-3, -2).flatten(-2).to(given.query.dtype)


def nothing_to_equal(subject: Subject) -> str:
    """The excuse of one that nothing is known to equal; it asks for a reference."""
    convention = subject.convention
    if convention.reference is not None:
        return ""
    if convention.rule is None or convention.mixing != "mean":
        return "it declares another rule"
    if convention.positions:
        return "it knows positions; to check which, name a reference"
    return "its values are projected; to check scale and heads, name a reference" if convention.projects else ""


def _all_sizes(subject: Subject) -> Iterator[Inputs]:
    yield from masked_or_not(subject)
    if subject.convention.size is None:
        for dims in shapes(subject.convention, ((1, 3, 3),))[:1]:
            for size in LARGER:
                yield subject.draw(replace(dims, size=size, key_size=size, value_size=_like(dims, size)), 0)


def _like(dims: Dims, size: int) -> int:
    return size if dims.value_size == dims.size else dims.value_size


EQUALITY = (
    Clause(
        "equals-pytorch",
        "Numbers",
        "It equals PyTorch's own function, or the reference that was named.",
        _all_sizes,
        _differs,
        nothing_to_equal,
        compares=True,
    ),
)
