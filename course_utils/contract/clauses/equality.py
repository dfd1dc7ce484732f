"""The clause that holds an attention against PyTorch's own, or against a reference that was named."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.contract.cases import Inputs
from course_utils.contract.clauses.base import Clause, gap, number, place_of, worst
from course_utils.contract.hiding import plain_and_masked, visible
from course_utils.contract.subject import Subject

EQUAL = 1e-4
HINTS = (  # what the scores were divided by, from the size of a head and the number of heads, in place of its root
    (lambda size, heads: math.sqrt(size), "Without a mask it is right."),
    (lambda size, heads: 1, "So it comes out without the root of the size."),
    (lambda size, heads: size, "So it comes out with the size in place of its root."),
    (lambda size, heads: math.sqrt(size * heads), "So it comes out with the root of all heads' size, not of one's."),
)


def _differs(subject: Subject, given: Inputs) -> str:
    found = subject(given).context
    expected = _expected(subject, given)
    off = gap(found, expected)
    if off.max() <= EQUAL * max(1.0, float(expected.abs().max())):
        return ""
    place = worst(off)
    sentence = (
        f"Feature {place[-1]} of {place_of(place, 'query')} is {number(found[place])}, "
        f"expected {number(expected[place])}."
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
            expected = _expected(subject, given, math.sqrt(size) / divisor(size, convention.heads))
            if gap(subject(given).context, expected).max() > EQUAL * max(1.0, float(expected.abs().max())):
                break
        else:
            return hint
    return ""


def _expected(subject: Subject, given: Inputs, factor: float = 1.0) -> Tensor:
    """What PyTorch's function, or the reference that was named, gives; `factor` changes the scale of the scores."""
    convention = subject.convention
    seen = visible(convention, given)
    if convention.reference is not None:
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


def _nothing_to_equal(subject: Subject) -> str:
    convention = subject.convention
    if convention.reference is not None:
        return ""
    if convention.rule is None:
        return "it declares another rule"
    return "its values are projected, and no reference is named" if convention.projects else ""


EQUALITY = (
    Clause(
        "equals-pytorch",
        "Numbers",
        "It equals PyTorch's own function, or the reference that was named.",
        lambda subject: plain_and_masked(subject.convention, subject.plain()),
        _differs,
        _nothing_to_equal,
        compares=True,
    ),
)
