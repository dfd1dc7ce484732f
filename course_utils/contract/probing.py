"""One call in a convention that is only supposed: does it run, and is each argument what it is taken for?"""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from course_utils.contract.cases import Dims, Inputs, moved
from course_utils.contract.convention import Convention
from course_utils.contract.hiding import says, with_mask
from course_utils.contract.subject import Subject

LITTLE = 1e-4


def dims_for(convention: Convention, size: int | None) -> Dims:
    """Sizes that differ from each other as far as the convention lets them, so that no axis is taken for another."""
    queries, batch = 5 if convention.square else 3, 2 if convention.has_batch else 1
    if size is None:
        size = 4 if convention.has_heads_axis else 4 * convention.heads
    return Dims(batch, queries, 5, size, convention.key_size or size, convention.value_size or size)


def try_it(attention: Callable, convention: Convention) -> Subject | None:
    """The attention in this convention, if it runs; with what it raised, otherwise nothing."""
    subject = Subject(attention, convention, [dims_for(convention, convention.size)])
    return subject if subject.dims else None


def fits(subject: Subject) -> bool:
    """Whether the batch, the queries and the values are where the convention says that they are."""
    given = subject.draw(subject.dims[0], 0)
    before = subject(given).context
    if given.dims.batch > 1:
        other = replace(given, query=_only(given.query, 1), key=_only(given.key, 1), value=_only(given.value, 1))
        other = replace(other, key=other.query, value=other.query) if given.key is given.query else other
        if _moves(before[:1], subject(other).context[:1]):
            return False
    if given.key is given.query:
        return True
    other = replace(given, query=moved(given.query, [2], 0))
    if _moves(before[:, :, :2], subject(other).context[:, :, :2]):
        return False
    if given.value is given.key:
        return True
    alike = given.value[..., :1, :].expand_as(given.value)  # a mixture of equal values is that value, whatever weighs
    flat = subject(replace(given, value=alike)).context
    return not _moves(flat[:, :, :1].expand_as(flat), flat)


def hides(subject: Subject) -> bool:
    """Whether what the mask hides does not move the output, and what it leaves does."""
    convention, given = subject.convention, subject.draw(subject.dims[0], 0)
    keys = given.dims.keys
    mask = torch.ones(given.dims.batch, given.dims.queries, keys, dtype=torch.bool)
    mask[..., keys - 1] = False
    if says(convention, "query"):
        mask[:, 0, 1] = False
    if says(convention, "batch") and given.dims.batch > 1:
        mask[1, :, keys - 2] = False
    masked = with_mask(convention, given, mask)
    before = subject(masked).context
    if not bool(before.isfinite().all()):
        return False
    rows = slice(0, keys - 2) if given.key is given.query else slice(None)
    if _moves(before[:, :, rows], subject(_with_other(masked, keys - 1)).context[:, :, rows]):
        return False
    seen = subject(_with_other(masked, 2 if convention.causal else 0)).context
    if not _moves(
        before[:, :, 3 if given.key is given.query else 1 :], seen[:, :, 3 if given.key is given.query else 1 :]
    ):
        return False
    if says(convention, "batch") and given.dims.batch > 1 and given.key is not given.query:
        after = subject(_with_other(masked, keys - 2)).context
        if _moves(before[1:], after[1:]) or not _moves(before[:1], after[:1]):
            return False
    if says(convention, "query") and given.key is not given.query:
        after = subject(_with_other(masked, 1)).context
        return not _moves(before[:, :, :1], after[:, :, :1]) and _moves(before[:, :, 1:], after[:, :, 1:])
    return True


def is_causal(subject: Subject) -> bool:
    """Whether what comes later moves nothing, and what came before does; with as many queries as keys."""
    given = subject.draw(replace(subject.dims[0], queries=subject.dims[0].keys), 0)
    before = subject(given).context
    late, early = subject(_with_other(given, 4)).context, subject(_with_other(given, 0)).context
    return not _moves(before[:, :, :4], late[:, :, :4]) and _moves(before[:, :, 4:], early[:, :, 4:])


def keeps_values(subject: Subject) -> bool:
    """Whether equal values come out as they went in: no parameters stand between them and the output."""
    given = subject.draw(subject.dims[0], 0)
    if given.value is given.key:
        return False
    value = given.value[..., :1, :].expand_as(given.value)
    context = subject(replace(given, value=value)).context
    return context.shape[-1] == value.shape[-1] and not _moves(context, value[:, :, :1].expand_as(context))


def _with_other(given: Inputs, place: int) -> Inputs:
    key, value = moved(given.key, [place], 0), moved(given.value, [place], 1)
    if given.key is given.query:
        return replace(given, query=key, key=key, value=key)
    return replace(given, key=key, value=key if given.value is given.key else value)


def _only(tensor: Tensor, element: int) -> Tensor:
    other = tensor.clone()
    other[element] = moved(tensor, slice(None), 0)[element]
    return other


def _moves(before: Tensor, after: Tensor) -> bool:
    difference = (before.double() - after.double()).abs().nan_to_num(nan=torch.inf, posinf=torch.inf)
    return difference.numel() > 0 and bool(difference.max() > LITTLE * max(1.0, float(before.abs().max())))
