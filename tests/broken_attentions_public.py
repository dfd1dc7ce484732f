"""More broken attentions, in the style of public bug reports; the register is that of the other file."""

import math

import torch
import torch.nn.functional as F
from broken_attentions import BUILD, MULTIHEAD, Heads, broken, scores_of, weights_of
from torch import nn

HEADED = {"layout": "batch heads length size", "heads": 2}


def answer(query, key, value, seen=None):
    weights = weights_of(scores_of(query, key, seen))
    return weights @ value, weights


# --- masks ---


@broken("hidden-key-weighs-0")
def key_0_never_hidden(query, key, value, mask=None):
    """So that no row is empty, it lets everybody look at key 0."""
    if mask is not None:
        mask = torch.cat([torch.ones_like(mask[..., :1]), mask[..., 1:]], dim=-1)
    return answer(query, key, value, mask)


@broken("hidden-key-weighs-0")
def padding_always_behind(query, key, value, mask=None):
    """It counts the real keys, and takes the first so many."""
    if mask is not None:
        mask = torch.arange(key.shape[-2]) < mask.sum(-1, keepdim=True)
    return answer(query, key, value, mask)


@broken("batch-is-apart")
def mask_of_the_first(query, key, value, mask=None):
    return answer(query, key, value, None if mask is None else mask[:1])


@broken("runs-with-a-mask", mask_shape="batch key")
def mask_over_the_queries(query, key, value, mask=None):
    """A padding mask gets its new axis at the wrong place: it hides queries; other lengths raise."""
    return answer(query, key, value, None if mask is None else mask[:, :, None].expand(-1, -1, key.shape[-2]))


@broken("hidden-key-weighs-0", mask="additive")
def hidden_by_a_small_number(query, key, value, mask=None):
    """−10 in place of −inf: a hidden key weighs 0.00005 of a visible one, and more where its score is high."""
    return answer_of_scores(scores_of(query, key) + (0 if mask is None else mask.clamp(min=-10)), value)


def answer_of_scores(scores, value):
    weights = weights_of(scores)
    return weights @ value, weights


@broken("runs-with-a-mask", mask="additive")
def mask_subtracted(query, key, value, mask=None):
    scores = scores_of(query, key) - (0 if mask is None else mask)
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights


@broken("hidden-key-weighs-0", mask="lengths")
def lengths_off_by_one(query, key, value, lengths=None):
    seen = None if lengths is None else (torch.arange(key.shape[-2]) <= lengths[:, None])[:, None]
    return answer(query, key, value, seen)


@broken("hidden-key-weighs-0", order="source", causal=True, mask_shape="batch key", weights_shape="batch query key")
def causal_or_padding(source, mask=None):
    """The two masks are joined by "or" where it must be "and"."""
    seen = torch.ones(source.shape[-2], source.shape[-2], dtype=torch.bool).tril()
    return answer(source, source, source, seen if mask is None else seen | mask[:, None])


@broken("weights-are-used")
def values_masked_only(query, key, value, mask=None):
    """The hidden values become 0, and their keys keep their weights."""
    weights = torch.softmax(scores_of(query, key), dim=-1)
    if mask is None:
        return weights @ value, weights
    return (weights * mask) @ value, weights


@broken("hidden-key-weighs-0", order="query memory")
def mask_lost_for_one_query(query, memory, mask=None):
    """A special way for a single query, as in generation, forgets the mask."""
    return answer(query, memory, memory, None if query.shape[-2] == 1 else mask)


@broken("batch-is-apart", build=BUILD, **{**MULTIHEAD, "mask_shape": "batch query key"})
class MasksRepeatedInTheWrongOrder(Heads):
    """Batch and heads share an axis, batch first; the mask is repeated heads first: it hides from the neighbours."""

    def forward(self, query, key, value, mask=None):
        batch = len(query)
        parts = [self.split(layer(x)).flatten(0, 1) for layer, x in self.pairs(query, key, value)]
        mask = None if mask is None else mask.repeat(self.heads, 1, 1)
        context, weights = answer(*parts, mask)
        context, weights = context.unflatten(0, (batch, self.heads)), weights.unflatten(0, (batch, self.heads))
        return self.output(self.merge(context)), weights

    def pairs(self, query, key, value):
        return (self.query, query), (self.key, key), (self.value, value)


@broken("left-padding", order="source", mask_shape="batch key", weights_shape="batch query key", positions="relative")
def relative_by_name_only(source, mask=None):
    """It adds absolute positions, and says that only distances count: padding in front moves every token."""
    places = torch.arange(source.shape[-2], dtype=source.dtype)[:, None] * 0.5
    return answer(source + places.sin(), source + places.sin(), source, None if mask is None else mask[:, None])


# --- the future, and steps ---


@broken("step-by-step", mask=None, causal=True)
def causal_at_the_top_left(query, key, value):
    """With a cached prefix, the first of the new queries sees key 0 only."""
    seen = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool).tril()
    return answer(query, key, value, seen)


@broken("step-by-step", mask=None, causal=True, returns="context")
def causal_for_several_queries(query, key, value):
    """One new query on a prefix is right; a chunk of several is aligned at the top left."""
    return F.scaled_dot_product_attention(query, key, value, is_causal=query.shape[-2] > 1)


CAUSAL = {"order": "source", "returns": "context", "mask": None, "size": 6, "causal": True, "projects": True}


class Causal(nn.Module):
    """Causal self-attention with one projection; how it is scaled, and what it drops, is left open."""

    def __init__(self, size, dropout=0.0):
        super().__init__()
        self.project, self.dropout = nn.Linear(size, 3 * size), nn.Dropout(dropout)

    def forward(self, source):
        query, key, value = self.project(source).chunk(3, dim=-1)
        return F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=self.scale(source))

    def scale(self, source):
        return 1 / math.sqrt(source.shape[-1])


@broken("step-by-step", build={"size": 6}, **CAUSAL)
class ScaledByTheLength(Causal):
    """Its scores grow with the length of what it was given: every step changes what was said before."""

    def scale(self, source):
        return math.log(1 + source.shape[-2])


@broken("future-changes-nothing", build={"size": 6}, **CAUSAL)
class CausalLostWithDropout(Causal):
    """Another way for training with dropout, without the mask; built without dropout, it hides well."""

    def forward(self, source):
        if self.training and self.dropout.p > 0:
            query, key, value = self.project(source).chunk(3, dim=-1)
            return self.dropout(torch.softmax(scores_of(query, key), dim=-1)) @ value
        return super().forward(source)


@broken("future-changes-nothing", build={"size": 6}, **CAUSAL)
class MeanOfTheSequenceTakenAway(Causal):
    """The source is centred over the positions first: each token knows something of all the later ones."""

    def forward(self, source):
        return super().forward(source - source.mean(-2, keepdim=True))


@broken("asked-or-not", build={"size": 6}, **{**CAUSAL, "returns": "first"})
class CausalLostWithWeights(Causal):
    """Asked for its weights, it takes the slow way, and forgets that it is causal."""

    def forward(self, source, need_weights=False):
        if not need_weights:
            return super().forward(source), None
        query, key, value = self.project(source).chunk(3, dim=-1)
        return answer(query, key, value)


# --- windows and positions ---


def through_a_window(reach):
    def attention(query, key, value):
        distance = torch.arange(key.shape[-2]) - torch.arange(query.shape[-2])[:, None]
        return answer(query, key, value, distance.abs() <= reach)

    return attention


@broken("window-is-kept", mask=None, window=1)
def window_one_too_wide(query, key, value):
    return through_a_window(2)(query, key, value)


@broken("window-is-kept", mask=None, window=2)
def window_one_too_narrow(query, key, value):
    return through_a_window(1)(query, key, value)


@broken("window-is-kept", mask=None, window=1, causal=True)
def window_that_looks_ahead(query, key, value):
    return through_a_window(1)(query, key, value)


def turned(tensor, axis):
    """Rotary positions (Su et al. 2021) along one axis, in pairs of halves."""
    half = tensor.shape[-1] // 2
    angle = torch.arange(tensor.shape[axis], dtype=tensor.dtype)[:, None] / 10 ** (torch.arange(half) / half)
    angle = (angle if axis == -2 else angle[:, None]).to(tensor.dtype)
    one, two = tensor[..., :half], tensor[..., half:]
    return torch.cat([one * angle.cos() - two * angle.sin(), one * angle.sin() + two * angle.cos()], dim=-1)


@broken("position-is-felt", size=4, positions="relative", rule=None, **HEADED)
def rotary_over_the_heads(query, key, value, mask=None):
    """It turns by the number of the head: query and key of a head turn alike, and nothing comes of it."""
    return answer(turned(query, -3), turned(key, -3), value, mask)


@broken("left-padding", size=4, positions="relative", rule=None, **HEADED)
def rotary_of_the_keys_only(query, key, value, mask=None):
    """The query is not turned: what counts is where a key stands, not how far it is."""
    return answer(query, turned(key, -2), value, mask)


def alibi(slopes):
    """Scores that fall with the distance, at a slope for each head (Press et al. 2022)."""

    def attention(query, key, value, mask=None):
        distance = (torch.arange(key.shape[-2]) - torch.arange(query.shape[-2])[:, None]).abs().to(query.dtype)
        scores = scores_of(query, key) - distance * torch.tensor(slopes, dtype=query.dtype)[:, None, None]
        return answer_of_scores(scores if mask is None else scores.masked_fill(~mask, -math.inf), value)

    return attention


@broken("equals-pytorch", positions="relative", reference=lambda built: alibi([1 / 16, 1 / 256]), **HEADED)
def one_slope_for_all_heads(query, key, value, mask=None):
    return alibi([1 / 16, 1 / 16])(query, key, value, mask)


# --- heads ---


@broken("heads-are-apart", **HEADED)
def softmax_over_heads(query, key, value, mask=None):
    scores = scores_of(query, key, mask)
    weights = torch.softmax(scores, dim=1).nan_to_num(0.0)
    return weights @ value, weights


@broken("rows-sum-to-1", build=BUILD, **MULTIHEAD)
class SoftmaxOverTheHeads(Heads):
    def forward(self, query, key, value, mask=None):
        query, key, value = self.split(self.query(query)), self.split(self.key(key)), self.split(self.value(value))
        weights = torch.softmax(scores_of(query, key, mask), dim=1).nan_to_num(0.0)
        return self.output(self.merge(weights @ value)), weights


class Grouped(Heads):
    """Fewer heads for keys and values than for queries (Ainslie et al. 2023); how they are shared is left open."""

    def __init__(self, size, heads, groups):
        super().__init__(size, heads)
        self.groups = groups
        self.key, self.value = (nn.Linear(size, groups * size // heads) for _ in range(2))

    def forward(self, query, key, value, mask=None):
        width = self.size // self.heads
        query = self.split(self.query(query))
        key, value = (
            self.shared(layer(x).unflatten(-1, (self.groups, width)).transpose(1, 2))
            for layer, x in ((self.key, key), (self.value, value))
        )
        context, weights = answer(query, key, value, mask)
        return self.output(self.merge(context)), weights


@broken(
    "equals-pytorch",
    build={"size": 12, "heads": 6, "groups": 2},
    **{**MULTIHEAD, "size": 12, "heads": 6, "reference": "projections"},
)
class TiledGroups(Grouped):
    """The groups are tiled: heads 0, 2, 4 share one in place of heads 0, 1, 2."""

    def shared(self, tensor):
        return tensor.repeat(1, self.heads // self.groups, 1, 1)


@broken("equals-pytorch", build=BUILD, **{**MULTIHEAD, "reference": "projections"})
class KeysProjectedAsValues(Heads):
    """A slip of the pen: the layer of the key is used for the values too."""

    def __init__(self, size, heads):
        super().__init__(size, heads)
        self.spare = self.value

    def forward(self, query, key, value, mask=None):
        parts = self.split(self.query(query)), self.split(self.key(key)), self.split(self.key(value))
        context, weights = answer(*parts, mask)
        return self.output(self.merge(context)), weights


@broken("equals-pytorch", build=BUILD, **{**MULTIHEAD, "reference": "projections"})
class HeadsInterleaved(Heads):
    """Feature i goes to head i mod heads, and comes back in blocks: trained weights do not fit any more."""

    def split(self, tensor):
        return tensor.unflatten(-1, (-1, self.heads)).permute(0, 3, 1, 2)


# --- numbers ---


@broken("large-in-half")
def scaled_after_the_product(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    return answer_of_scores(scores if mask is None else scores.masked_fill(~mask, -math.inf), value)


@broken("many-keys", mask=None)
def tail_of_the_last_block_lost(query, key, value, block=64):
    """Blocks of 64 keys; with more than one block, what is left over behind the last whole one is never read."""
    whole = key.shape[-2] // block * block or key.shape[-2]
    context, weights = answer(query, key[..., :whole, :], value[..., :whole, :])
    return context, F.pad(weights, (0, key.shape[-2] - whole))


@broken("many-keys", mask=None, returns="context")
def blocks_of_queries_lost(query, key, value, block=128):
    """Blocks of 128 queries; the last, incomplete one is left at 0."""
    out = torch.zeros(*query.shape[:-1], value.shape[-1], dtype=query.dtype)
    whole = query.shape[-2] // block * block or query.shape[-2]
    out[..., :whole, :] = answer(query[..., :whole, :], key, value)[0]
    return out


@broken("equals-pytorch")
def root_of_4_at_most(query, key, value, mask=None):
    """The root of the size, from a table that was made for small sizes."""
    factor = math.sqrt(query.shape[-1] / min(query.shape[-1], 8))
    return answer(query * factor, key, value, mask)


@broken("equals-pytorch")
def size_in_place_of_its_root(query, key, value, mask=None):
    return answer(query / math.sqrt(query.shape[-1]), key, value, mask)


@broken("equals-pytorch")
def scaled_by_the_number_of_keys(query, key, value, mask=None):
    return answer(query * math.sqrt(query.shape[-1] / key.shape[-2]), key, value, mask)


@broken("order-of-keys", mask=None)
def online_softmax_without_rescaling(query, key, value):
    """Key by key with a running maximum; what was summed before a new maximum is not scaled down."""
    scores = scores_of(query, key)
    powers = (scores - scores.cummax(-1).values).exp()
    weights = powers / powers.sum(-1, keepdim=True)
    return weights @ value, weights


@broken("runs-with-a-mask")
def hidden_tile_gives_nan(query, key, value, mask=None, tile=2):
    """Tiles of two keys; one that is hidden as a whole has −inf for its maximum, and −inf − −inf is nan."""
    parts = scores_of(query, key, mask).split(tile, dim=-1)
    tops = [part.amax(-1, keepdim=True) for part in parts]
    top = torch.stack(tops).amax(0)
    powers = torch.cat([(part - one).exp() * (one - top).exp() for part, one in zip(parts, tops, strict=True)], dim=-1)
    weights = powers / powers.sum(-1, keepdim=True)
    return weights @ value, weights


@broken("half-precision")
def mask_in_float32(query, key, value, mask=None):
    """A float32 tensor made inside meets another type: half precision raises."""
    seen = torch.zeros(query.shape[-2], key.shape[-2])
    return answer_of_scores(scores_of(query, key, mask) + seen, value)


@broken("weights-are-used")
def scores_given_for_weights(query, key, value, mask=None):
    scores = scores_of(query, key, mask)
    return weights_of(scores) @ value, scores.masked_fill(scores.isinf(), 0.0)


# --- what is a mean, and what is not ---


@broken("rows-sum-to-1")
def sigmoid_for_softmax(query, key, value, mask=None):
    weights = scores_of(query, key, mask).sigmoid()
    return weights @ value, weights


@broken("rows-sum-to-1", mask=None, rule=None, mixing="difference")
def difference_with_a_changing_share(query, key, value):
    """Differential attention (Ye et al. 2024) whose λ depends on the query: its rows sum to different numbers."""
    share = query.mean(-1, keepdim=True).sigmoid()
    weights = weights_of(scores_of(query, key)) - share * weights_of(scores_of(query, key.flip(-1)))
    return weights @ value, weights


@broken("rows-sum-to-1", mask=None, rule=None, returns="context")
def linear_without_its_normaliser(query, key, value):
    """Linear attention (Katharopoulos et al. 2020) without the denominator."""
    query, key = F.elu(query) + 1, F.elu(key) + 1
    return query @ (key.transpose(-2, -1) @ value)


@broken("heads-are-apart", mask=None, rule=None, causal=True, returns="context", **HEADED)
def sums_over_the_heads(query, key, value):
    """Causal linear attention whose running sum runs over the heads, not over the positions."""
    query, key = F.elu(query) + 1, F.elu(key) + 1
    states, norms = (key[..., :, None] * value[..., None, :]).cumsum(1), key.cumsum(1)
    return (query[..., None, :] @ states)[..., 0, :] / ((query * norms).sum(-1, keepdim=True) + 1e-6)


@broken("output-is-a-mixture", order="source", mask=None, returns="context")
def residual_inside(source):
    """The residual is added inside, where the caller adds it again."""
    return source + answer(source, source, source)[0]


@broken("batch-is-apart", mask=None)
def scores_normalised_over_the_batch(query, key, value):
    scores = scores_of(query, key)
    return answer_of_scores(scores - scores.mean(0, keepdim=True) * torch.arange(key.shape[-2]), value)


@broken("weights-in-training", build={"drop": 0.3}, mask=None)
class DropoutWithoutScaling(nn.Module):
    """Some weights are dropped in training, and the rest is not scaled up: evaluation sees larger outputs."""

    def __init__(self, drop):
        super().__init__()
        self.drop = nn.Dropout(drop)

    def forward(self, query, key, value):
        weights = weights_of(scores_of(query, key))
        if self.training:
            weights = weights * (self.drop(torch.ones_like(weights)) > 0)
        return weights @ value, weights


@broken("weights-in-training", build={}, mask=None)
class NotNormalisedInTraining(nn.Module):
    def forward(self, query, key, value):
        scores = scores_of(query, key)
        weights = scores.exp() if self.training else weights_of(scores)
        return weights @ value, weights


@broken("same-twice", build={}, returns="context")
class DropoutOfTheFunction(nn.Module):
    """F.dropout without `training=self.training` drops in evaluation too."""

    def forward(self, query, key, value, mask=None):
        return F.dropout(answer(query, key, value, mask)[1], 0.1) @ value


# --- manners ---


@broken("any-number-of-keys")
def one_query_squeezed_away(query, key, value, mask=None):
    context, weights = answer(query, key, value, mask)
    return context.squeeze(1), weights


@broken("arguments-unchanged")
def writes_into_the_key(query, key, value, mask=None):
    """The mask is applied to the caller's own keys, in place."""
    if mask is not None:
        key.masked_fill_(~mask.any(-2).unsqueeze(-1), 0.0)
    return answer(query, key, value, mask)


@broken("arguments-unchanged")
def writes_into_the_mask(query, key, value, mask=None):
    """It opens empty rows in the caller's own mask, and takes its weights away again."""
    if mask is None:
        return answer(query, key, value)
    kept = mask.clone()
    mask |= ~mask.any(-1, keepdim=True)
    weights = weights_of(scores_of(query, key, mask)) * kept
    return weights @ value, weights


# --- one more for what only they break ---


@broken("padding-changes-nothing", mask_shape="batch key", rule=None)
def padding_in_the_mean(query, key, value, mask=None):
    """The padding weighs 0, but it counts in the mean that is taken from all keys."""
    key = key / key.square().mean(-2, keepdim=True).sqrt()
    return answer(query, key, value, None if mask is None else mask[:, None])


@broken("no-negative-weight", mask=None, rule=None)
def sharpened_below_0(query, key, value):
    """Its rows sum to 1, and go below 0 on the way."""
    scores = scores_of(query, key)
    weights = 2 * weights_of(scores) - weights_of(scores / 2)
    return weights @ value, weights


# --- two that escaped at first ---


@broken("training-comes-back", build={})
class DropoutLostForever(nn.Module):
    """One call in evaluation sets its own rate to 0, and training never drops again."""

    def __init__(self):
        super().__init__()
        self.dropout_p = 0.1

    def forward(self, query, key, value, mask=None):
        self.dropout_p = self.dropout_p if self.training else 0.0
        weights = F.dropout(answer(query, key, value, mask)[1], self.dropout_p)
        return weights @ value, weights


class DropWithWrongGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, weights, rate):
        kept = (torch.rand_like(weights) > rate).to(weights.dtype)
        ctx.save_for_backward(kept)
        ctx.rate = rate
        return weights * kept / (1 - rate)

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.saved_tensors[0] * ctx.rate * 0.9, None


@broken("gradient", build={})
class DropoutScaledWrongWayBack(nn.Module):
    """A dropout of its own, scaled by 1 / (1 − p) on the way there and by something else on the way back."""

    def __init__(self):
        super().__init__()
        self.dropout = 0.1

    def forward(self, query, key, value, mask=None):
        weights = answer(query, key, value, mask)[1]
        weights = DropWithWrongGradient.apply(weights, self.dropout) if self.training else weights
        return weights @ value, weights
