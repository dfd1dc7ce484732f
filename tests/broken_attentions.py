"""Attentions that are broken on purpose, each in one way, and the clauses of the contract that each one breaks.

Every fault has been seen: in lecture notes, in well-known public code, or in learners' own.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

BROKEN: dict[str, "Broken"] = {}
MASKED = {"hidden-key-weighs-0", "future-changes-nothing", "padding-changes-nothing"}


@dataclass(frozen=True)
class Broken:
    """A broken attention: how it is called, and what the audit must find, no more and no less."""

    attention: Any
    breaks: set[str]
    declared: dict[str, Any] = field(default_factory=dict)


def broken(*clauses, build=None, reference=None, **declared):
    """Registers a function, or with `build` the module that the arguments build; a `reference` may be made from it."""

    def register(attention):
        torch.manual_seed(0)
        built = attention if build is None else attention(**build)
        if reference is not None:
            declared["reference"] = reference(built) if callable(reference) else reference
        BROKEN[attention.__name__] = Broken(built, set(clauses), declared)
        return attention

    return register


def scores_of(query, key, mask=None, fill=-math.inf):
    scores = query / math.sqrt(query.shape[-1]) @ key.transpose(-2, -1)
    return scores if mask is None else scores.masked_fill(~mask, fill)


def weights_of(scores):
    return torch.softmax(scores, dim=-1).nan_to_num(0.0)


# --- masks ---


@broken("hidden-key-weighs-0")
def inverted_mask(query, key, value, mask=None):
    """True is taken for hidden. A row that may see everything sees nothing."""
    weights = weights_of(scores_of(query, key, None if mask is None else ~mask))
    return weights @ value, weights


@broken("hidden-key-weighs-0")
def mask_ignored(query, key, value, mask=None):
    weights = torch.softmax(scores_of(query, key), dim=-1)
    return weights @ value, weights


@broken("rows-sum-to-1")
def mask_after_softmax(query, key, value, mask=None):
    """The hidden keys weigh 0, but they have taken their share of the sum."""
    weights = torch.softmax(scores_of(query, key), dim=-1)
    weights = weights if mask is None else weights * mask
    return weights @ value, weights


@broken("hidden-key-weighs-0")
def mask_multiplies_scores(query, key, value, mask=None):
    """A hidden score becomes 0, which is not −inf: exp(0) is 1."""
    scores = scores_of(query, key)
    weights = torch.softmax(scores if mask is None else scores * mask, dim=-1)
    return weights @ value, weights


@broken("empty-row-is-finite")
def nan_on_empty_row(query, key, value, mask=None):
    weights = torch.softmax(scores_of(query, key, mask), dim=-1)
    return weights @ value, weights


@broken("empty-row-is-0")
def uniform_on_empty_row(query, key, value, mask=None):
    weights = torch.softmax(scores_of(query, key, mask, torch.finfo(query.dtype).min), dim=-1)
    return weights @ value, weights


@broken("empty-row-is-finite")
def nan_gradient_on_empty_row(query, key, value, mask=None):
    """The nan is covered in the output, and comes back in the gradient."""
    hidden = torch.zeros((), dtype=query.dtype)
    scores = scores_of(query, key)
    if mask is not None:
        scores = scores + hidden.masked_fill(~mask, -math.inf)
    weights = torch.softmax(scores, dim=-1)
    weights = torch.where(weights.isnan(), torch.zeros_like(weights), weights)
    return weights @ value, weights


@broken("half-precision", "empty-row-is-0")
def fill_that_float16_cannot_hold(query, key, value, mask=None):
    weights = torch.softmax(scores_of(query, key, mask, -1e9), dim=-1)
    return weights @ value, weights


@broken("weights-are-used")
def map_recorded_without_mask(query, key, value, mask=None):
    weights = weights_of(scores_of(query, key, mask))
    return weights @ value, torch.softmax(scores_of(query, key), dim=-1)


@broken("future-changes-nothing", rule=None)
def hidden_keys_in_the_statistics(query, key, value, mask=None):
    """The hidden keys weigh 0, but they count in the mean by which all keys are normalised."""
    key = key / key.square().mean(-2, keepdim=True).sqrt()
    weights = weights_of(scores_of(query, key, mask))
    return weights @ value, weights


@broken("hidden-key-weighs-0", mask_shape="batch key", returns="context")
def padding_attended(query, key, value, mask=None):
    """The decoder of a sequence-to-sequence model hides the padding of its own side, and forgets the source's."""
    return torch.softmax(scores_of(query, key), dim=-1) @ value


@broken(
    "future-changes-nothing",
    build={"size": 6},
    order="source",
    returns="context",
    mask=None,
    size=6,
    causal=True,
    projects=True,
)
class CausalOnlyInTraining(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.project = nn.Linear(size, 3 * size)

    def forward(self, source):
        query, key, value = self.project(source).chunk(3, dim=-1)
        return F.scaled_dot_product_attention(query, key, value, is_causal=self.training)


@broken("hidden-key-weighs-0", mask=None, causal=True)
def causal_off_by_one(query, key, value):
    seen = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool).tril(1)
    weights = torch.softmax(scores_of(query, key, seen), dim=-1)
    return weights @ value, weights


# --- heads ---


class Heads(nn.Module):
    """Multi-head self-attention with three projections and one for the output; how it splits is left open."""

    def __init__(self, size, heads):
        super().__init__()
        self.size, self.heads = size, heads
        self.query, self.key, self.value, self.output = (nn.Linear(size, size) for _ in range(4))

    def split(self, tensor):
        batch, length, _ = tensor.shape
        return tensor.view(batch, length, self.heads, self.size // self.heads).transpose(1, 2)

    def merge(self, tensor):
        return tensor.transpose(1, 2).flatten(2)

    def scale(self):
        return math.sqrt(self.size // self.heads)

    def forward(self, query, key, value, mask=None):
        query, key, value = self.split(self.query(query)), self.split(self.key(key)), self.split(self.value(value))
        scores = query @ key.transpose(-2, -1) / self.scale()
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        weights = weights_of(scores)
        return self.output(self.merge(weights @ value)), weights


MULTIHEAD = {
    "size": 6,
    "heads": 2,
    "projects": True,
    "mask_shape": "batch 1 query key",
    "weights_shape": "batch heads query key",
}
BUILD = {"size": 6, "heads": 2}


@broken("queries-are-apart", build=BUILD, **MULTIHEAD)
class HeadsSplitByView(Heads):
    """Without a transpose, a head holds whole positions next to each other in place of a part of the features.

    Row 1 of a head need not hold query 1, and a mask on it hides something else.
    """

    def split(self, tensor):
        return tensor.view(len(tensor), self.heads, tensor.shape[1], self.size // self.heads)


@broken("queries-are-apart", build=BUILD, **MULTIHEAD)
class HeadsMergedByView(Heads):
    """The weights are right; then one output holds the contexts of several queries."""

    def merge(self, tensor):
        return tensor.reshape(len(tensor), tensor.shape[2], self.size)


def right_heads(module):
    """The same parameters in PyTorch's function, for a reference."""

    def reference(query, key, value, mask):
        query, key, value = (
            projection(tensor).unflatten(-1, (module.heads, -1)).transpose(1, 2)
            for projection, tensor in ((module.query, query), (module.key, key), (module.value, value))
        )
        context = F.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None])
        return module.output(context.transpose(1, 2).flatten(2))

    return reference


@broken("equals-pytorch", build=BUILD, reference=right_heads, **MULTIHEAD)
class RootOfTheWholeSize(Heads):
    """√d in place of √(d / heads)."""

    def scale(self):
        return math.sqrt(self.size)


@broken("equals-pytorch", layout="batch heads length size", heads=4)
def root_of_all_heads(query, key, value, mask=None):
    """The same fault in a function that is given the heads."""
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1] * query.shape[1])
    weights = weights_of(scores if mask is None else scores.masked_fill(~mask, -math.inf))
    return weights @ value, weights


@broken("heads-are-apart", layout="batch heads length size", heads=2)
def heads_summed_too_early(query, key, value, mask=None):
    """The scores are added over the heads before softmax: every head looks where the others look."""
    scores = scores_of(query, key).sum(1, keepdim=True).expand(-1, query.shape[1], -1, -1)
    weights = weights_of(scores if mask is None else scores.masked_fill(~mask, -math.inf))
    return weights @ value, weights


@broken("key-moves-weights", build={"size": 6}, order="source", returns="context", mask=None, size=6, projects=True)
class ChunkFault(nn.Module):
    """view(batch, length, 3, size) and then chunks of the last axis: it attends over query, key and value."""

    def __init__(self, size):
        super().__init__()
        self.project = nn.Linear(size, 3 * size)

    def forward(self, source):
        batch, length, size = source.shape
        query, key, value = self.project(source).view(batch, length, 3, size).chunk(3, dim=-1)
        weights = torch.softmax(query @ key.transpose(-2, -1) / math.sqrt(size), dim=-1)
        return (weights @ value).reshape(batch, length, size)


# --- scores and softmax ---


@broken("equals-pytorch")
def no_root(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1)
    weights = weights_of(scores if mask is None else scores.masked_fill(~mask, -math.inf))
    return weights @ value, weights


STUCK = {"key-moves-weights", "query-moves-weights"}  # a softmax over one thing gives 1, whatever moves


@broken("queries-are-apart")
def softmax_over_queries(query, key, value, mask=None):
    weights = torch.softmax(scores_of(query, key, mask), dim=-2).nan_to_num(0.0)
    return weights @ value, weights


@broken("batch-is-apart")
def softmax_over_batch(query, key, value, mask=None):
    weights = torch.softmax(scores_of(query, key, mask), dim=0).nan_to_num(0.0)
    return weights @ value, weights


@broken("rows-sum-to-1", mask=None)
def scores_times_their_softmax(query, key, value):
    scores = query @ key.transpose(-2, -1)
    weights = scores * torch.softmax(scores, dim=-1)
    return weights @ value, weights


@broken("large-scores")
def softmax_by_hand(query, key, value, mask=None):
    """exp without taking the greatest score away first: inf / inf."""
    scores = scores_of(query, key, mask)
    powers = scores.exp()
    weights = powers / powers.sum(-1, keepdim=True).clamp(min=1e-30 if query.dtype != torch.float16 else 1e-7)
    return weights @ value, weights


@broken("any-number-of-keys", "queries-are-apart", mask=None)
def values_not_mixed(query, key, value):
    """Weights times values, element by element, and a sum over the queries in place of the keys."""
    weights = torch.softmax(scores_of(query, key), dim=-1)
    return (weights.unsqueeze(-1) * value.unsqueeze(1)).sum(1), weights


@broken("any-number-of-keys", "key-moves-weights", build={"size": 4, "keys": 4}, mask=None, size=4, rule=None)
class FixedWidth(nn.Module):
    """Weights from the query and the first key only, one output for each of a fixed number of keys."""

    def __init__(self, size, keys):
        super().__init__()
        self.score = nn.Linear(2 * size, keys)

    def forward(self, query, key, value):
        first = key[..., :1, :].expand_as(query)
        weights = torch.softmax(self.score(torch.cat([query, first], dim=-1)), dim=-1)
        return weights @ value, weights


@broken("rows-sum-to-1", build={"size": 4}, mask=None, size=4, rule=None)
class SoftmaxOverOne(nn.Module):
    """A score for each pair, in an axis of size 1; softmax over that axis gives 1 to every pair."""

    def __init__(self, size):
        super().__init__()
        self.score = nn.Linear(2 * size, 1)

    def forward(self, query, key, value):
        pairs = torch.cat(
            [
                query.unsqueeze(-2).expand(-1, -1, key.shape[-2], -1),
                key.unsqueeze(-3).expand(-1, query.shape[-2], -1, -1),
            ],
            dim=-1,
        )
        weights = torch.softmax(self.score(pairs), dim=-1).squeeze(-1)
        return weights @ value, weights


@broken("query-moves-weights", build={"size": 4}, mask=None, size=4, rule=None)
class BlindToTheQuery(SoftmaxOverOne):
    """Scored per key from query and key joined, nothing between the linear layer and softmax: the query cancels."""

    def forward(self, query, key, value):
        part = query.shape[-1]
        scores = query @ self.score.weight[:, :part].T + (key @ self.score.weight[:, part:].T).transpose(-2, -1)
        weights = torch.softmax(scores, dim=-1)
        return weights @ value, weights


@broken("key-moves-weights")
def mean_pooling(query, key, value, mask=None):
    weights = weights_of(scores_of(query * 0, key, mask))
    return weights @ value, weights


@broken("output-is-a-mixture", "key-moves-weights", returns="context", mask=None)
def softmax_on_the_output(query, key, value):
    """Query and key are never multiplied; softmax stands at the end, over the features of the output."""
    return torch.softmax(query.mean(-1, keepdim=True) * value.sum(-2, keepdim=True), dim=-1)


# --- manners ---


@broken("arguments-unchanged")
def scales_in_place(query, key, value, mask=None):
    query /= math.sqrt(query.shape[-1])
    scores = query @ key.transpose(-2, -1)
    weights = weights_of(scores if mask is None else scores.masked_fill(~mask, -math.inf))
    return weights @ value, weights


@broken("arguments-unchanged", mask="additive")
def scores_into_the_mask(query, key, value, mask=None):
    """The caller's own mask is added to in place: the second call starts from the scores of the first."""
    scores = scores_of(query, key)
    if mask is not None:
        hidden = mask == -math.inf
        mask += scores
        scores = mask.masked_fill(hidden, -math.inf)
    weights = weights_of(scores)
    return weights @ value, weights


@broken("same-twice")
def dropout_left_on(query, key, value, mask=None):
    weights = F.dropout(weights_of(scores_of(query, key, mask)), 0.5)
    return weights @ value, weights


@broken("batch-is-apart")
def first_of_the_batch(query, key, value, mask=None):
    """Only element 0 of the batch is used: a batch of two raises."""
    mask = None if mask is None else mask[0]
    weights = weights_of(scores_of(query[0], key[0], mask))
    return (weights @ value[0])[None], weights[None]


@broken("batch-is-apart")
def keys_of_the_first(query, key, value, mask=None):
    """Every element of the batch looks at the keys of element 0."""
    weights = weights_of(scores_of(query, key[:1], mask))
    return weights @ value, weights


@broken("gradient")
def gradient_cut(query, key, value, mask=None):
    """The weights are detached: the mixture learns, the scores never do."""
    weights = weights_of(scores_of(query, key, mask)).detach()
    return weights @ value, weights


# --- it does not run ---


@broken("runs", build={"size": 4}, mask=None, size=4, returns="context")
class LinearForTheFlattened(nn.Module):
    """A linear layer sized for the flattened sequence, applied to one step."""

    def __init__(self, size):
        super().__init__()
        self.score = nn.Linear(50 * size, 1)

    def forward(self, query, key, value):
        weights = torch.softmax(self.score(key), dim=-2).transpose(-2, -1)
        return (weights @ value).expand(-1, query.shape[-2], -1)


@broken("runs", build=BUILD, **MULTIHEAD)
class SplitThreeTimesTooWide(Heads):
    """Query, key and value come out of one projection, and all three of it are split into the heads of one."""

    def __init__(self, size, heads):
        super().__init__(size, heads)
        self.query = nn.Linear(size, 3 * size)


@broken("runs")
def not_written_yet(query, key, value, mask=None): ...
