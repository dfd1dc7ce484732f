"""What must hold of an attention that a learner designs: any rule of scores, any way of making heads.

Each requirement builds the learner's class anew and asks it. What an answer raises is no requirement met.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

SIZE, HEADS = 12, 3
BATCH, QUERIES, GOODS = 2, 7, 5  # all lengths differ, so that no two axes can be taken for one another


class _Asked:
    """The learner's attention, built from a seed of its own, and an answer of it."""

    def __init__(self, answer) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            self.attention = answer(SIZE, HEADS)
        if isinstance(self.attention, nn.Module):
            self.attention.eval()
        generator = torch.Generator().manual_seed(6)
        self.query = torch.randn(BATCH, QUERIES, SIZE, generator=generator)
        self.key, self.value = (torch.randn(BATCH, GOODS, SIZE, generator=generator) for _ in "kv")
        self.mask = torch.rand(BATCH, QUERIES, GOODS, generator=generator) < 0.6
        self.mask[..., 0], self.mask[..., 1] = True, False
        self.mask[1, 2] = False  # nothing to look at

    def __call__(self, **changed: Tensor) -> tuple[Tensor, Tensor]:
        named = {"query": self.query, "key": self.key, "value": self.value, "mask": self.mask} | changed
        context, weights = self.attention(*(part.clone() for part in named.values()))
        return context, weights


def _holds(found: Callable[[_Asked], bool]) -> Callable[[object], bool]:
    def asked(answer) -> bool:
        try:
            return bool(found(_Asked(answer)))
        except Exception:
            return False

    return asked


def _close(one: Tensor, two: Tensor) -> bool:
    return torch.allclose(one, two, atol=1e-5)


def _runs(one: _Asked) -> bool:
    context, weights = one()
    return isinstance(context, Tensor) and isinstance(weights, Tensor)


def _shapes(one: _Asked) -> bool:
    context, weights = one()
    return context.shape == (BATCH, QUERIES, SIZE) and weights.shape == (BATCH, HEADS, QUERIES, GOODS)


def _finite(one: _Asked) -> bool:
    context, weights = one()
    return bool(context.isfinite().all() and weights.isfinite().all())


def _hidden_weighs_nothing(one: _Asked) -> bool:
    _, weights = one()
    return bool((weights.masked_select(~one.mask[:, None].expand_as(weights)).abs() < 1e-6).all())


def _rows_sum(one: _Asked) -> bool:
    _, weights = one()
    total = weights.sum(-1)[one.mask.any(-1)[:, None].expand(BATCH, HEADS, QUERIES)]
    return _close(total, torch.ones_like(total))


def _hidden_changes_nothing(one: _Asked) -> bool:
    key, value = one.key.clone(), one.value.clone()
    key[:, 1], value[:, 1] = key[:, 1] + 3, value[:, 1] + 3
    return _close(one()[0], one(key=key, value=value)[0])


def _empty_is_0(one: _Asked) -> bool:
    context, _ = one()
    return bool((context[1, 2].abs() < 1e-6).all())


def _query_is_heard(one: _Asked) -> bool:
    moved = torch.randn(one.query.shape, generator=torch.Generator().manual_seed(8)) * 2
    return not _close(one()[1], one(query=moved)[1])


def _keys_are_heard(one: _Asked) -> bool:
    moved = torch.randn(one.key.shape, generator=torch.Generator().manual_seed(9)) * 2
    return not _close(one()[1], one(key=moved)[1])


def _values_are_mixed(one: _Asked) -> bool:
    return not _close(one()[0], one(value=one.value.flip(1))[0])


def _pairs_stay_together(one: _Asked) -> bool:
    order = torch.tensor([3, 0, 4, 2, 1])
    other = one(key=one.key[:, order], value=one.value[:, order], mask=one.mask[..., order])[0]
    return _close(one()[0], other)


def _queries_are_apart(one: _Asked) -> bool:
    query = one.query.clone()
    query[:, 0] += 2
    return _close(one()[0][:, 1:], one(query=query)[0][:, 1:])


def _items_are_apart(one: _Asked) -> bool:
    changed = {name: getattr(one, name).clone() for name in ("query", "key", "value")}
    for part in changed.values():
        part[0] += 1
    return _close(one()[0][1], one(**changed)[0][1])


def _heads_differ(one: _Asked) -> bool:
    weights = one()[1]
    return all(not _close(weights[:, 0], weights[:, head]) for head in range(1, HEADS))


def _nothing_is_changed(one: _Asked) -> bool:
    parts = [part.clone() for part in (one.query, one.key, one.value, one.mask)]
    before = [part.clone() for part in parts]
    one.attention(*parts)
    return all(torch.equal(now, then) for now, then in zip(parts, before, strict=True))


def _learns(one: _Asked) -> bool:
    if not isinstance(one.attention, nn.Module):
        return False
    parameters = list(one.attention.parameters())
    torch.cat([one()[0].flatten() ** 2, one()[1].flatten() * 0]).sum().backward()
    found = [part.grad is not None and bool((part.grad != 0).any()) for part in parameters]
    return bool(parameters) and all(found)


REQUIREMENTS = {
    "runs": _holds(_runs),
    "shapes": _holds(_shapes),
    "finite": _holds(_finite),
    "hidden-weighs-nothing": _holds(_hidden_weighs_nothing),
    "rows-sum": _holds(_rows_sum),
    "queries-are-apart": _holds(_queries_are_apart),
    "hidden-changes-nothing": _holds(_hidden_changes_nothing),
    "query-is-heard": _holds(_query_is_heard),
    "keys-are-heard": _holds(_keys_are_heard),
    "values-are-mixed": _holds(_values_are_mixed),
    "items-are-apart": _holds(_items_are_apart),
    "pairs-stay-together": _holds(_pairs_stay_together),
    "heads-differ": _holds(_heads_differ),
    "empty-is-0": _holds(_empty_is_0),
    "nothing-is-changed": _holds(_nothing_is_changed),
    "learns": _holds(_learns),
}
