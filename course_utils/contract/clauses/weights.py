"""Clauses on the weights: a mean over the keys, told as it is used."""

import torch
from torch import Tensor

from course_utils.contract.cases import Inputs
from course_utils.contract.clauses.base import (
    TOLERANCE,
    Clause,
    gap,
    hides_its_weights,
    masked_or_not,
    number,
    place_of,
    reveals,
    seen_weights,
    tolerance,
    used_weights,
    worst,
)
from course_utils.contract.hiding import visible
from course_utils.contract.subject import Subject

FAITHFUL = 1e-4


def _sum_is_not_1(subject: Subject, given: Inputs) -> str:
    weights = seen_weights(subject, given)
    if weights is None:
        return ""
    sums = weights.sum(-1)
    alike = subject.convention.mixing == "difference"  # then its rows sum to 1 − λ, whatever λ is, and all to the same
    off = gap(sums, sums.flatten()[:1].expand_as(sums) if alike else torch.ones_like(sums))
    if alike:
        off = off.masked_fill(~visible(subject.convention, given).any(-1).expand_as(off), 0.0)
    if off.max() <= TOLERANCE:
        return ""
    place = worst(off)
    if alike:
        first, other = number(sums.flatten()[0]), number(sums[place])
        return f"The weights of one query sum to {first}, those of another to {other}."
    return f"The weights of {place_of(place, 'query')} sum to {number(sums[place])}."


def _negative(subject: Subject, given: Inputs) -> str:
    weights = seen_weights(subject, given)
    if weights is None or not bool((weights < -TOLERANCE).any()):
        return ""
    place = worst(-weights)
    return f"Key {place[-1]} has the weight {number(weights[place])} for {place_of(place, 'query')}."


def _leaves_the_hull(subject: Subject, given: Inputs) -> str:
    weights = used_weights(subject, given)
    if weights is not None:
        off = gap(weights.sum(-1), torch.ones_like(weights[..., 0]))
        if off.max() > TOLERANCE:
            place = worst(off)
            total = number(weights.sum(-1)[place])
            return f"The values are mixed for {place_of(place, 'query')} with shares that sum to {total}."
        if bool((weights < -TOLERANCE).any()):
            place = worst(-weights)
            return f"Value {place[-1]} is mixed into {place_of(place, 'query')} with a negative share."
    context = subject(given).context
    if not bool(context.isfinite().all()):
        return "The output is not finite."
    least, most = _hull(given.value, visible(subject.convention, given))
    off = torch.maximum(least - context, context - most)
    if off.max() <= tolerance(given.value):
        return ""
    place = worst(off)
    low, high = number(least[place]), number(most[place])
    return (
        f"Feature {place[-1]} of {place_of(place, 'query')} is {number(context[place])}, "
        f"outside the values that it may look at: {low} to {high}."
    )


def _hull(value: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """The least and the greatest value of each feature among the visible keys."""
    spread = value[:, :, None].expand(-1, -1, seen.shape[-2], -1, -1)  # (batch, heads, query, key, value size)
    hidden = ~seen[..., None]
    return spread.masked_fill(hidden, torch.inf).amin(-2), spread.masked_fill(hidden, -torch.inf).amax(-2)


def _untold(subject: Subject, given: Inputs) -> str:
    answer, weights = subject(given), used_weights(subject, given)
    if weights is None or answer.weights is None:
        return ""
    off = gap(answer.weights, weights)
    if off.max() > FAITHFUL:
        place = worst(off)
        told, used = number(answer.weights[place]), number(weights[place])
        return f"For {place_of(place, 'query')} it says that key {place[-1]} weighs {told}; it used {used}."
    off = gap(answer.context, answer.weights @ given.value)
    if off.max() > FAITHFUL:
        return f"Its weights times the values differ from its output by {number(off.max())}."
    return ""


def _no_sum(subject: Subject) -> str:
    return "its weights are declared free" if subject.convention.mixing == "free" else hides_its_weights(subject)


def _no_sign(subject: Subject) -> str:
    mean = subject.convention.mixing == "mean"
    return hides_its_weights(subject) if mean else f"its weights are declared as a {subject.convention.mixing}"


def _not_a_mixture(subject: Subject) -> str:
    if subject.convention.mixing != "mean":
        return "its weights are declared otherwise"
    return "its values are projected" if subject.convention.projects else ""


def _nothing_to_hold_against(subject: Subject) -> str:
    if not subject.gives_weights:
        return "it does not return its weights"
    if subject.convention.projects:
        return "its values are projected"
    return "" if reveals(subject) else "the weights used cannot be read from its output"


WEIGHTS = (
    Clause(
        "rows-sum-to-1",
        "Weights",
        "The weights of each query sum to 1, where it has something to see.",
        masked_or_not,
        _sum_is_not_1,
        _no_sum,
        compares=True,
    ),
    Clause(
        "no-negative-weight",
        "Weights",
        "No weight is negative.",
        masked_or_not,
        _negative,
        _no_sign,
    ),
    Clause(
        "output-is-a-mixture",
        "Weights",
        "The output is a mixture of the values, inside their hull.",
        masked_or_not,
        _leaves_the_hull,
        _not_a_mixture,
        compares=True,
    ),
    Clause(
        "weights-are-used",
        "Weights",
        "The weights that it returns are those that it uses.",
        masked_or_not,
        _untold,
        _nothing_to_hold_against,
        compares=True,
    ),
)
