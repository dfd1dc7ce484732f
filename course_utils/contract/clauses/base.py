"""What a clause is, and what several clauses need: tolerance, comparison, the weights that are really used."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from course_utils.contract.calling import Answer
from course_utils.contract.cases import Inputs
from course_utils.contract.hiding import plain_and_masked
from course_utils.contract.subject import Subject
from course_utils.printing import tidy

TOLERANCE = 1e-5  # float32 and numbers up to 2: rounding stays a hundred times below, a real fault far above


class CannotTell(Exception):
    """A clause turns out not to apply; the message says why."""


@dataclass(frozen=True)
class Clause:
    """One promise of an attention, when it applies, and how to find an input that breaks it."""

    name: str
    group: str
    says: str  # the promise, as a sentence
    inputs: Callable[[Subject], Iterable[Inputs]]  # the smallest first
    broken: Callable[[Subject, Inputs], str]  # a sentence on what happened, or "" when the promise was kept
    excused: Callable[[Subject], str] = lambda subject: ""  # why it does not apply, or ""
    compares: bool = False  # holds one call against another: only for one that draws nothing at random


def number(value: float | Tensor) -> str:
    """A number for a sentence: at most three decimals, and never −0."""
    value = float(value.detach()) if isinstance(value, Tensor) else float(value)
    if value != value or value in (torch.inf, -torch.inf):
        return str(value).replace("-", "−")
    if 0 < abs(value) < 0.001:
        return "less than 0.001"
    if abs(value) >= 1e6:
        return "more than a million"
    return f"{tidy(value):g}".replace("-", "−")


def gap(one: Tensor, two: Tensor) -> Tensor:
    """How far apart two tensors are, element by element; infinitely, where either is not a finite number."""
    difference = (one.detach().double() - two.detach().double()).abs()
    return difference.nan_to_num(nan=torch.inf, posinf=torch.inf)


def worst(difference: Tensor) -> tuple[int, ...]:
    """Where a difference is largest."""
    place, found = int(difference.flatten().argmax()), []
    for size in reversed(difference.shape):
        found.append(place % size)
        place //= size
    return tuple(reversed(found))


def tolerance(reference: Tensor) -> float:
    """What rounding in float32 may cost at these magnitudes."""
    finite = reference.detach().nan_to_num(0.0, 0.0, 0.0)
    return TOLERANCE * max(1.0, float(finite.abs().max()) if finite.numel() else 0.0)


def reveals(subject: Subject) -> bool:
    """Whether the weights that are really used can be read from the output, with the identity for values."""
    convention = subject.convention
    one_mixture = convention.heads == 1 or convention.has_heads_axis
    return not convention.projects and "value" in convention.order.split() and one_mixture


def used_weights(subject: Subject, given: Inputs) -> Tensor | None:
    """The weights that are really used: key j has the j-th unit vector for its value, so the output is the weights.

    Shapes: → (batch, heads, query, key), or None where they cannot be read. Where the size of the values is set, and
    smaller than the number of keys, it takes several calls.
    """
    if not reveals(subject):
        return None
    keys, convention = given.dims.keys, subject.convention
    size, found = convention.value_size or convention.size or keys, []
    for start in range(0, keys, size):
        value = torch.eye(keys, keys + size, device=given.value.device)[:, start : start + size]
        value = value.expand(*given.value.shape[:2], keys, size).to(given.value.dtype)
        unit = replace(given, value=value, dims=replace(given.dims, value_size=size))
        found.append(subject(unit).context)
    return torch.cat(found, dim=-1)[..., :keys]


def seen_weights(subject: Subject, given: Inputs, answer: Answer | None = None) -> Tensor | None:
    """The weights that it returns, else those that it uses, else None."""
    answer = answer or subject(given)
    return answer.weights if answer.weights is not None else used_weights(subject, given)


def hides_its_weights(subject: Subject) -> str:
    """The excuse of one whose weights nobody can see."""
    return "" if subject.gives_weights or reveals(subject) else "it does not return its weights"


def place_of(place: tuple[int, ...], what: str) -> str:
    """`query 2`, with the element of the batch and the head where there are several."""
    batch, head, row = place[:3]
    parts = [f"{what} {row}"]
    if batch:
        parts.append(f"of batch element {batch}")
    if head:
        parts.append(f"in head {head}")
    return " ".join(parts)


def masked_or_not(subject: Subject) -> Iterator[Inputs]:
    """Each input without a mask and, where a mask is taken, with one."""
    return plain_and_masked(subject.convention, subject.plain()) if subject.masks else subject.plain()


def when(subject: Subject, mode: str) -> str:
    """` in training mode`, for a module; a function has no modes."""
    return f" in {mode}" if subject.is_module else ""


def no_mask(subject: Subject) -> str:
    """The excuse of one that takes no mask."""
    return "" if subject.convention.mask else "it takes no mask"
