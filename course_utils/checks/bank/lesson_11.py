"""The exercises of lesson 11: block, decoder layer, two leaks, a residual in the wrong place, top-p, and the mask."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from course_utils.attention import attend
from course_utils.checks.bank.parts import as_double, draw
from course_utils.checks.forms import edited, predict, prove, write
from course_utils.data.text import END, PAD, SIGNS, START


def _filled(module: nn.Module, generator: torch.Generator) -> nn.Module:
    """A module whose parameters all differ, norms included, drawn from the generator alone."""
    with torch.no_grad():
        for name, weight in module.named_parameters():
            centre = 1.0 if "norm" in name and name.endswith("weight") else 0.0
            weight.copy_(centre + 0.4 * torch.randn(weight.shape, generator=generator))
    return module


# 11.1 A block, norm last or first: the oracle is PyTorch's own layer, whose parts the answer gets.


def _blocks(generator):
    drawn = []
    for first, (batch, length, size, heads, hidden) in ((False, (2, 5, 6, 2, 9)), (True, (3, 4, 8, 2, 7))):
        layer = nn.TransformerEncoderLayer(size, heads, hidden, 0.0, batch_first=True, norm_first=first)
        layer = _filled(layer, generator)

        def attention(x, layer=layer):
            return layer.self_attn(x, x, x, need_weights=False)[0]

        def feed_forward(x, layer=layer):
            return layer.linear2(torch.relu(layer.linear1(x)))

        x = 2 * torch.randn(batch, length, size, generator=generator)
        drawn.append((x, attention, feed_forward, _Norm(layer.norm1, layer), _Norm(layer.norm2, layer), first))
    return drawn


class _Norm:
    """A norm that remembers its layer, so that the oracle can ask PyTorch for the whole."""

    def __init__(self, norm: nn.Module, layer: nn.Module) -> None:
        self.norm, self.layer = norm, layer

    def __call__(self, x: Tensor) -> Tensor:
        return self.norm(x)


def _torch_layer(x, attention, feed_forward, norm_1, norm_2, first):
    return norm_1.layer(x)


def _block(x, attention, feed_forward, norm_1, norm_2, first):
    if first:
        x = x + attention(norm_1(x))
        return x + feed_forward(norm_2(x))
    x = norm_1(x + attention(x))
    return norm_2(x + feed_forward(x))


PRE = ("x = x + attention(norm_1(x))", "return x + feed_forward(norm_2(x))")
POST = ("x = norm_1(x + attention(x))", "return norm_2(x + feed_forward(x))")
BLOCK = write(
    "11.1",
    oracle=_torch_layer,
    inputs=_blocks,
    mistakes=edited(
        _block,
        {
            "no-residual": [
                (PRE[0], "x = attention(norm_1(x))"),
                (PRE[1], "return feed_forward(norm_2(x))"),
                (POST[0], "x = norm_1(attention(x))"),
                (POST[1], "return norm_2(feed_forward(x))"),
            ],
            "one-residual": [(PRE[1], "return feed_forward(norm_2(x))"), (POST[1], "return norm_2(feed_forward(x))")],
            "first-residual-missing": [(PRE[0], "x = attention(norm_1(x))"), (POST[0], "x = norm_1(attention(x))")],
            "always-last": ("if first:", "if False:"),
            "always-first": ("if first:", "if True:"),
            "the-other-way": ("if first:", "if not first:"),
            "residual-after-norm": [
                (PRE[0], "x = norm_1(x)\n        x = x + attention(x)"),
                (PRE[1], "x = norm_2(x)\n        return x + feed_forward(x)"),
            ],
            "norm-before-adding": [(POST[0], "x = x + norm_1(attention(x))"),
                                   (POST[1], "return x + norm_2(feed_forward(x))")],
            "norm-behind-the-layer": [(PRE[0], "x = x + norm_1(attention(x))"),
                                      (PRE[1], "return x + norm_2(feed_forward(x))")],
            "no-norms": [
                (PRE[0], "x = x + attention(x)"),
                (PRE[1], "return x + feed_forward(x)"),
                (POST[0], "x = x + attention(x)"),
                (POST[1], "return x + feed_forward(x)"),
            ],
            "second-norm-missing": [(PRE[1], "return x + feed_forward(x)"), (POST[1], "return x + feed_forward(x)")],
            "normed-on-both-sides": [
                (PRE[0], "x = norm_1(x + attention(norm_1(x)))"),
                (PRE[1], "return norm_2(x + feed_forward(norm_2(x)))"),
            ],
            "one-norm-twice": [(PRE[1], "return x + feed_forward(norm_1(x))"),
                               (POST[1], "return norm_1(x + feed_forward(x))")],
            "norms-swapped": [
                (PRE[0], "x = x + attention(norm_2(x))"),
                (PRE[1], "return x + feed_forward(norm_1(x))"),
                (POST[0], "x = norm_2(x + attention(x))"),
                (POST[1], "return norm_1(x + feed_forward(x))"),
            ],
            "side-by-side": [
                (PRE[0], "y = x + attention(norm_1(x))"),
                (PRE[1], "return y + feed_forward(norm_2(x))"),
                (POST[0], "y = norm_1(x + attention(x))"),
                (POST[1], "return norm_2(y + feed_forward(x))"),
            ],
            "feed-forward-first": [
                (PRE[0], "x = x + feed_forward(norm_1(x))"),
                (PRE[1], "return x + attention(norm_2(x))"),
                (POST[0], "x = norm_1(x + feed_forward(x))"),
                (POST[1], "return norm_2(x + attention(x))"),
            ],
            "added-from-the-input": [
                (PRE[0], "y = x + attention(norm_1(x))"),
                (PRE[1], "return x + feed_forward(norm_2(y))"),
                (POST[0], "y = norm_1(x + attention(x))"),
                (POST[1], "return norm_2(x + feed_forward(y))"),
            ],
            "no-feed-forward": [(PRE[1], "return x"), (POST[1], "return x")],
        },
    ),
)  # fmt: skip


# 11.2 A decoder layer, norm first: a source and a target of unequal lengths.


def _decoders(generator):
    drawn = []
    # Where source and target are equally long, a mask of the other one runs, and its values tell it from other slips.
    shapes = (((2, 4, 6, 6, 2, 9), True), ((3, 5, 3, 8, 2, 7), False), ((3, 4, 4, 6, 2, 8), True))
    for (batch, target, source, size, heads, hidden), left in shapes:
        layer = nn.TransformerDecoderLayer(size, heads, hidden, 0.0, batch_first=True, norm_first=True)
        layer = _filled(layer, generator)
        parts = _Parts(
            self_attention=_Attention(layer.self_attn),
            cross_attention=_Attention(layer.multihead_attn),
            feed_forward=lambda x, layer=layer: layer.linear2(torch.relu(layer.linear1(x))),
            norm_1=_Norm(layer.norm1, layer),
            norm_2=_Norm(layer.norm2, layer),
            norm_3=_Norm(layer.norm3, layer),
        )
        x, memory = draw(generator, (batch, target, size), (batch, source, size))
        target_real = _real(batch, target)
        # A batch of beginnings is padded on the left: there a causal mask alone does not hide the padding.
        drawn.append((2 * x, memory, target_real.flip(1) if left else target_real, _real(batch, source), parts))
    return drawn


def _real(batch, length):
    """The first row is whole, the others lack one element more each."""
    return torch.arange(length) < (length - torch.arange(batch))[:, None]


class _Parts:
    """The parts under their names; unlike a SimpleNamespace it is compared by what it holds, so a copy is equal."""

    def __init__(self, **parts: Callable) -> None:
        vars(self).update(parts)


class _Attention:
    """PyTorch's module, called as in the course: True = may attend, None = everything, and an empty row gets 0.

    Raises ValueError for a mask of another shape, and for one that is made to be added.
    """

    def __init__(self, module: nn.MultiheadAttention) -> None:
        self.module = module

    def __call__(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        mask = _fitting(torch.tensor(True) if mask is None else mask, (len(query), query.shape[1], key.shape[1]))
        something = mask.any(-1, keepdim=True)
        hidden = ~(mask | ~something).repeat_interleave(self.module.num_heads, 0)
        return self.module(query, key, value, attn_mask=hidden, need_weights=False)[0].where(something, 0.0)


def _fitting(mask: Tensor, wanted: tuple[int, int, int]) -> Tensor:
    """The mask as (batch, query, key). What is raised begins in its own words, which tell one slip from another."""
    got = tuple(mask.shape)
    if mask.is_floating_point() and bool((mask < -1e3).any()):
        raise ValueError("mask of numbers to add: got 0 and -inf, expected True where a query may attend")
    try:
        return mask.bool().expand(wanted)
    except RuntimeError:
        if got == (wanted[0], wanted[2]):
            raise ValueError(f"mask (batch, key): got {got}, expected {wanted}: (batch, query, key)") from None
        raise ValueError(f"mask: got the shape {got}, expected one that fits {wanted}: (batch, query, key)") from None


def _torch_decoder(target, memory, target_real, source_real, parts):
    """One item at a time, without its padding: so no mask but the causal one is needed."""
    out = torch.zeros_like(target)
    for row, (x, words, here, there) in enumerate(zip(target, memory, target_real, source_real, strict=True)):
        causal = nn.Transformer.generate_square_subsequent_mask(int(here.sum()))
        out[row, here] = parts.norm_1.layer(x[here][None], words[there][None], tgt_mask=causal)[0]
    return out


ON_QUERIES = 1e-3  # a mark at places that do not count: more than the tolerance, less than any difference


def _at_real_places(answer, target, memory, target_real, source_real, parts):
    masks = []

    def self_attention(query, key, value, mask=None):
        masks.append(mask)
        return parts.self_attention(query, key, value, mask)

    watched = _Parts(**{**vars(parts), "self_attention": self_attention})
    found = answer(target, memory, target_real, source_real, watched)
    fits = isinstance(found, Tensor) and found.shape == target.shape
    filling = ON_QUERIES if any(_hides_queries(mask, target_real) for mask in masks) else 0.0
    return found.masked_fill(~target_real[..., None], filling) if fits else found


def _hides_queries(mask, real):
    """Whether padded queries see nothing, and queries that count see padded keys: values alone would not tell."""
    if not isinstance(mask, Tensor) or mask.shape != (*real.shape, real.shape[1]):
        return False
    padding_seen = (mask.bool() & real[:, :, None] & ~real[:, None, :]).any()
    return bool(padding_seen) and not bool(mask.bool()[~real].any())


def _decoder(target, memory, target_real, source_real, parts):
    length = target.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    own, other = causal & target_real[:, None, :], source_real[:, None, :]
    x = parts.norm_1(target)
    target = target + parts.self_attention(x, x, x, own)
    x = parts.norm_2(target)
    target = target + parts.cross_attention(x, memory, memory, other)
    return target + parts.feed_forward(parts.norm_3(target))


DECODER = write(
    "11.2",
    oracle=_torch_decoder,
    inputs=_decoders,
    call=_at_real_places,
    mistakes=edited(
        _decoder,
        {
            "not-causal": ("causal & target_real[:, None, :]", "target_real[:, None, :]"),
            "padding-on-the-queries": ("causal & target_real[:, None, :]", "causal & target_real[:, :, None]"),
            "source-padding-on-the-queries": (", source_real[:, None, :]", ", source_real[:, :, None]"),
            "mask-without-axis": (", source_real[:, None, :]", ", source_real"),
            "additive-mask": (
                "causal & target_real[:, None, :], source_real[:, None, :]",
                "torch.zeros(length, length).masked_fill(~causal, -math.inf), source_real[:, None, :]",
            ),
            "causal-hidden-is-true": ("causal & target_real", "~causal & target_real"),
            "one-ahead": (".tril()", ".tril(1)"),
            "target-padding-seen": ("causal & target_real[:, None, :]", "causal"),
            "first-mask-missing": ("self_attention(x, x, x, own)", "self_attention(x, x, x)"),
            "cross-asks-with-the-old": ("    x = parts.norm_2(target)\n", ""),
            "source-padding-seen": ("source_real[:, None, :]\n", "torch.ones_like(source_real)[:, None, :]\n"),
            "both-paddings-seen": ("causal & target_real[:, None, :], source_real", "causal, (source_real | True)"),
            "no-masks": [
                ("causal & target_real[:, None, :]", "causal | True"),
                (", source_real[:, None, :]", ", (source_real | True)[:, None, :]"),
            ],
            "hidden-is-true": [
                ("causal & target_real[:, None, :]", "~(causal & target_real[:, None, :])"),
                (", source_real[:, None, :]", ", ~source_real[:, None, :]"),
            ],
            "looks-ahead": (".tril()", ".triu()"),
            "not-itself": (".tril()", ".tril(-1)"),
            "targets-mask-on-the-source": (", source_real[:, None, :]", ", target_real[:, None, :]"),
            "causal-on-the-source": (
                ", source_real[:, None, :]",
                ", torch.ones(length, memory.shape[1], dtype=torch.bool).tril() & source_real[:, None, :]",
            ),
            "never-looks-at-the-source": ("cross_attention(x, memory, memory, other)", "cross_attention(x, x, x, own)"),
            "source-asks": ("(x, memory, memory, other)", "(memory, x, x, target_real[:, None, :])"),
            "values-from-the-target": ("(x, memory, memory, other)", "(x, memory, x, other)"),
            "keys-from-the-target": ("(x, memory, memory, other)", "(x, x, memory, other)"),
            "attentions-exchanged": [
                ("parts.self_attention(", "parts.own_attention("),
                ("parts.cross_attention(", "parts.self_attention("),
                ("parts.own_attention(", "parts.cross_attention("),
            ],
            "first-norm-missing": ("x = parts.norm_1(target)", "x = target"),
            "second-norm-missing": ("x = parts.norm_2(target)", "x = target"),
            "third-norm-missing": ("parts.norm_3(target)", "target"),
            "no-norms": [
                ("x = parts.norm_1(target)", "x = target"),
                ("x = parts.norm_2(target)", "x = target"),
                ("parts.norm_3(target)", "target"),
            ],
            "only-the-query-normed": ("self_attention(x, x, x, own)", "self_attention(x, target, target, own)"),
            "one-norm-for-all": [("parts.norm_2", "parts.norm_1"), ("parts.norm_3", "parts.norm_1")],
            "second-norm-twice": ("parts.norm_3", "parts.norm_2"),
            "third-norm-last": ("target + parts.feed_forward(parts.norm_3(target))",
                                "parts.norm_3(target + parts.feed_forward(target))"),
            "in-place": ("target = target + parts.self", "target += parts.self"),
            "memory-normed": ("(x, memory, memory, other)", "(x, parts.norm_2(memory), parts.norm_2(memory), other)"),
            "cross-first": [
                ("x = parts.norm_1(target)", "x = parts.norm_1(target)\n    first = x"),
                ("target = target + parts.self_attention(x, x, x, own)",
                 "target = target + parts.cross_attention(x, memory, memory, other)"),
                ("x = parts.norm_2(target)\n    target = target + parts.cross_attention(x, memory, memory, other)",
                 "x = parts.norm_2(target)\n    target = target + parts.self_attention(x, x, x, own)"),
            ],
            "no-residual": [
                ("target = target + parts.self", "target = parts.self"),
                ("target = target + parts.cross", "target = parts.cross"),
                ("return target + parts", "return parts"),
            ],
            "cross-without-residual": ("target = target + parts.cross", "target = parts.cross"),
            "residual-after-norm": [
                ("x = parts.norm_1(target)", "x = target = parts.norm_1(target)"),
                ("x = parts.norm_2(target)", "x = target = parts.norm_2(target)"),
                ("return target + parts.feed_forward(parts.norm_3(target))",
                 "target = parts.norm_3(target)\n    return target + parts.feed_forward(target)"),
            ],
            "norm-last": [
                ("x = parts.norm_1(target)", "x = target"),
                ("target = target + parts.self_attention(x, x, x, own)",
                 "target = parts.norm_1(target + parts.self_attention(x, x, x, own))"),
                ("x = parts.norm_2(target)", "x = target"),
                ("target = target + parts.cross_attention(x, memory, memory, other)",
                 "target = parts.norm_2(target + parts.cross_attention(x, memory, memory, other))"),
                ("return target + parts.feed_forward(parts.norm_3(target))",
                 "return parts.norm_3(target + parts.feed_forward(target))"),
            ],
            "no-feed-forward": ("return target + parts.feed_forward(parts.norm_3(target))", "return target"),
        },
    ),
)  # fmt: skip


# 11.3 A decoder that leaks.


def _targets(generator):
    drawn = []
    for lengths, vocabulary in (((5, 3, 4), 9), ((2, 6), 12)):
        rows = torch.full((len(lengths), max(lengths) + 2), PAD)
        for row, length in zip(rows, lengths, strict=True):
            row[0], row[length + 1] = START, END
            row[1 : length + 1] = torch.randint(len(SIGNS), vocabulary, (length,), generator=generator)
        drawn.append((rows,))
    return drawn


def _step_by_step(target):
    """What each place reads, writes and may see, one after another."""
    reads = torch.stack([target[:, place] for place in range(target.shape[1] - 1)], dim=1)
    writes = torch.stack([target[:, place + 1] for place in range(target.shape[1] - 1)], dim=1)
    sees = torch.tensor([[key <= query for key in range(reads.shape[1])] for query in range(reads.shape[1])])
    return reads, writes, _where_it_counts(sees, writes)


def _where_it_counts(mask, writes):
    """Rows of queries that write nothing, and keys behind the end, are all the same: both may be masked or not."""
    seen = mask.expand(len(writes), writes.shape[1], writes.shape[1])
    real = writes != PAD
    return seen & real[:, None, :] & real[..., None]


def _seen_where_it_counts(answer, target):
    found = answer(target)
    if not (isinstance(found, tuple | list) and len(found) == 3 and all(isinstance(one, Tensor) for one in found)):
        return found
    reads, writes, mask = found
    if mask.dtype != torch.bool and bool(((mask == 0) | (mask == 1)).all()):
        mask = mask.bool()  # ones and zeros say it too
    if mask.dim() == 4 and mask.shape[1] == 1:
        mask = mask[:, 0]
    wanted = (len(target), target.shape[1] - 1, target.shape[1] - 1)
    fits = mask.dim() <= 3 and all(one in (1, n) for one, n in zip(mask.shape[::-1], wanted[::-1], strict=False))
    if fits and mask.dtype == torch.bool:
        return reads, writes, _where_it_counts(mask, target[:, 1:])
    if fits and bool(((mask == 0) | (mask < -1e3)).all()):  # made to be added, whatever stands for −∞
        mask = torch.where(_where_it_counts(mask == 0, target[:, 1:]), 0.0, -math.inf)
    return reads, writes, mask


def _prepared(target):
    reads, writes = target[:, :-1], target[:, 1:]
    length = reads.shape[1]
    mask = torch.ones(length, length, dtype=torch.bool).tril()
    return reads, writes, mask


LEAKS = write(
    "11.3",
    oracle=_step_by_step,
    inputs=_targets,
    call=_seen_where_it_counts,
    results=("reads", "writes", "mask"),
    mistakes=edited(
        _prepared,
        {
            "not-shifted": ("target[:, :-1], target[:, 1:]", "target[:, 1:], target[:, 1:]"),
            "whole-target-twice": ("target[:, :-1], target[:, 1:]", "target, target"),
            "first-part-twice": ("target[:, :-1], target[:, 1:]", "target[:, :-1], target[:, :-1]"),
            "shifted-backwards": ("target[:, :-1], target[:, 1:]", "target[:, 1:], target[:, :-1]"),
            "reads-the-whole": ("target[:, :-1], target[:, 1:]", "target, target[:, 1:]"),
            "no-mask": (".tril()", ""),
            "mask-of-nothing": ("torch.ones(length, length, dtype=torch.bool).tril()", "None"),
            "additive-mask": ("torch.ones(length, length, dtype=torch.bool).tril()",
                              "torch.full((length, length), -math.inf).triu(1)"),
            "looks-ahead": (".tril()", ".triu()"),
            "not-itself": (".tril()", ".tril(-1)"),
            "one-ahead": (".tril()", ".tril(1)"),
            "hidden-is-true": (".tril()", ".triu(1)"),
            "both-leaks": [("target[:, :-1], target[:, 1:]", "target[:, 1:], target[:, 1:]"), (".tril()", ".triu()")],
            "mask-of-the-whole": ("length = reads.shape[1]", "length = target.shape[1]"),
        },
    ),
)  # fmt: skip


# 11.4 A residual in the wrong place.


def _stacks(generator):
    drawn = []
    for count, shape in ((3, (2, 4, 6)), (4, (3, 5, 5))):
        pairs = []
        for _ in range(count):
            norm = _filled(nn.ModuleDict({"norm": nn.LayerNorm(shape[-1])}), generator)["norm"]
            layer = _filled(nn.Linear(shape[-1], shape[-1]), generator)
            pairs.append((norm, lambda x, layer=layer: torch.tanh(layer(x))))
        drawn.append((3 * torch.randn(shape, generator=generator), pairs))
    return drawn


def _added_up(x, sublayers):
    """The stream is the input and everything that was added to it."""
    notes = [x]
    for norm, layer in sublayers:
        notes.append(layer(norm(torch.stack(notes).sum(0))))
    return torch.stack(notes).sum(0)


def _stack(x, sublayers):
    for norm, layer in sublayers:
        x = x + layer(norm(x))
    return x


STREAM = write(
    "11.4",
    oracle=_added_up,
    inputs=_stacks,
    mistakes=edited(
        _stack,
        {
            "still-normed": ("x = x + layer(norm(x))", "x = norm(x)\n        x = x + layer(x)"),
            "no-residual": ("x = x + layer(norm(x))", "x = layer(norm(x))"),
            "norm-last": ("x = x + layer(norm(x))", "x = norm(x + layer(x))"),
            "norm-of-what-is-added": ("x = x + layer(norm(x))", "x = x + norm(layer(x))"),
            "no-norm": ("x = x + layer(norm(x))", "x = x + layer(x)"),
            "both-normed": ("x = x + layer(norm(x))", "x = norm(x) + layer(x)"),
            "reads-the-norm-adds-the-norm": ("x = x + layer(norm(x))", "x = x + norm(x) + layer(norm(x))"),
            "from-the-input": [("for norm, layer", "given = x\n    for norm, layer"),
                               ("x = x + layer(norm(x))", "x = given + layer(norm(x))")],
            "all-read-the-input": [("for norm, layer", "given = x\n    for norm, layer"),
                                   ("x = x + layer(norm(x))", "x = x + layer(norm(given))")],
            "first-only": ("        x = x + layer(norm(x))\n    return x",
                           "        x = x + layer(norm(x))\n        return x"),
            "in-place": ("x = x + layer(norm(x))", "x += layer(norm(x))"),
        },
    ),
)  # fmt: skip


# 11.5 Top-p.


def _distributions(generator):
    drawn = []
    for shape, p, sharp in (((3, 7), 0.7, 1.5), ((2, 2, 5), 0.9, 1.0), ((4, 6), 0.5, 3.0), ((2, 5), 0.1, 1.0)):
        drawn.append((torch.softmax(sharp * torch.randn(shape, generator=generator), -1), p))
    # With p = 1 all stay: sixteenths, whose sums are exact. In the second table tokens tie where the sum reaches p.
    all_stay = ((0.5, 0.25, 0.1875, 0.0625), (0.4375, 0.3125, 0.1875, 0.0625))
    tied = ((0.4, 0.25, 0.25, 0.1), (0.34, 0.22, 0.22, 0.22), (0.36, 0.32, 0.16, 0.16))
    for rows, p in ((all_stay, 1.0), (tied, 0.5)):
        drawn.append((torch.stack([torch.tensor(row)[torch.randperm(4, generator=generator)] for row in rows]), p))
    return drawn


def _from_large_to_small(values):
    return values.sort(dim=-1, descending=True, stable=True).indices


def _among_ties(answer, probabilities, p):
    """Among tokens that tie the one that got most comes first, so that either of them may stay."""
    given = probabilities.clone()
    found = answer(probabilities, p)
    if not (isinstance(found, Tensor) and found.shape == given.shape and found.is_floating_point()):
        return found
    places, most = _from_large_to_small(given), _from_large_to_small(found)
    most = most.gather(-1, _from_large_to_small(given.gather(-1, most)))
    return torch.zeros_like(found).scatter(-1, places, found.gather(-1, most))


def _one_at_a_time(probabilities, p):
    rows = []
    for row in probabilities.flatten(0, -2).tolist():
        kept, total = [], 0.0
        for place in sorted(range(len(row)), key=row.__getitem__, reverse=True):
            if total < p:
                kept.append(place)
                total += row[place]
        rows.append([one / total if place in kept else 0.0 for place, one in enumerate(row)])
    return torch.tensor(rows).view(probabilities.shape)


def _nucleus(probabilities, p):
    ordered, places = probabilities.sort(-1, descending=True)
    before = ordered.cumsum(-1) - ordered
    kept = ordered.masked_fill(before >= p, 0.0)
    kept = torch.zeros_like(kept).scatter(-1, places, kept)
    return kept / kept.sum(-1, keepdim=True)


TOP_P = write(
    "11.5",
    oracle=_one_at_a_time,
    inputs=_distributions,
    call=_among_ties,
    mistakes=edited(
        _nucleus,
        {
            "not-shared-out": ("return kept / kept.sum(-1, keepdim=True)", "return kept"),
            "without-the-last": ("before >= p", "ordered.cumsum(-1) > p"),
            "without-the-last-zeros": [
                ("before >= p", "ordered.cumsum(-1) > p"),
                ("kept / kept.sum(-1, keepdim=True)", "(kept / kept.sum(-1, keepdim=True)).nan_to_num(0.0)"),
            ],
            "without-the-last-but-one-at-least": ("before >= p", "(ordered.cumsum(-1) > p) & (before > 0)"),
            "sorted": ("    kept = torch.zeros_like(kept).scatter(-1, places, kept)\n", ""),
            "least-first": ("descending=True", "descending=False"),
            "threshold": ("before >= p", "ordered < p"),
            "threshold-of-the-rest": ("before >= p", "ordered < 1 - p"),
            "share-of-the-largest": ("before >= p", "ordered < p * ordered[..., :1]"),
            "one-too-many": (
                "before >= p",
                "before - ordered.roll(1, -1).index_fill(-1, torch.tensor([0]), 0.0) >= p",
            ),
            "softmax-again": ("kept / kept.sum(-1, keepdim=True)",
                              "torch.softmax(kept.masked_fill(kept == 0, -math.inf), -1)"),
            "places-not-undone": ("scatter(-1, places, kept)", "add(kept.gather(-1, places))"),
            "keep-in-sorted-order": [
                ("ordered.masked_fill(", "probabilities.masked_fill("),
                ("    kept = torch.zeros_like(kept).scatter(-1, places, kept)\n", ""),
            ],
            "keep-gathered": [
                ("ordered.masked_fill(before >= p, 0.0)", "probabilities * (before < p).gather(-1, places)"),
                ("    kept = torch.zeros_like(kept).scatter(-1, places, kept)\n", ""),
            ],
            "ties-stay": (
                "before >= p",
                "ordered < ordered.masked_fill(before >= p, 2.0).amin(-1, keepdim=True)",
            ),
            "share-of-the-number": ("before >= p", "torch.arange(ordered.shape[-1]) >= p * ordered.shape[-1]"),
            "all-kept": ("before >= p", "before > 1"),
            "likeliest-only": ("before >= p", "before > 0"),
        },
    ),
    properties={
        "sum-to-one": lambda arguments, result: bool(((result.sum(-1) - 1).abs() < 1e-4).all()),
        "likeliest-stays": lambda arguments, result: bool((result.argmax(-1) == arguments[0].argmax(-1)).all()),
    },
)  # fmt: skip


# 11.6 When is the mask needed?


def _layers(x: Tensor, causal: bool, layers: int = 2) -> Tensor:
    """Self-attention without parameters, added to the stream, so many times."""
    mask = torch.ones(len(x), len(x), dtype=torch.bool).tril() if causal else None
    for _ in range(layers):
        x = x + attend(x, x, x, mask)[0]
    return x


def _given(answer, name: str) -> Tensor:
    return as_double(answer[name])


def _moved(answer, name: str) -> Tensor:
    """How far each row of the result moves when the mask is left out."""
    x = _given(answer, name)
    return (_layers(x, True) - _layers(x, False)).norm(dim=-1)


def _is_a_table(answer, name: str) -> bool:
    x = _given(answer, name)
    return x.dim() == 2 and len(x) >= 3 and x.shape[1] >= 2 and bool(x.isfinite().all()) and bool(x.abs().max() <= 100)


NEEDED = prove(
    "11.6",
    requirements={
        "not-shaped": lambda answer: _is_a_table(answer, "needed") and _is_a_table(answer, "spared"),
        "not-needed": lambda answer: float(_moved(answer, "needed")[-1]) > 0.1,
        "rows-alike": lambda answer: float(torch.pdist(_given(answer, "spared")).min()) > 0.1,
        "nothing-moves": lambda answer: float(_moved(answer, "spared")[:-1].max()) > 0.1,
        "not-spared": lambda answer: float(_moved(answer, "spared")[-1]) < 1e-3,
    },
)


# 11.7 The target's mask on the source.


def _cross_inputs(generator):
    drawn = []
    for targets, sources, size, more in (((3, 5), (6, 4), 4, 1), ((4, 2), (2, 4), 3, 1), ((2, 3, 1), (1, 3, 2), 5, 0)):
        count = len(targets)  # with `more` places, even the longest source has padding
        query, key, value = draw(
            generator,
            (count, max(targets) + more, size),
            *((count, max(sources) + more, wide) for wide in (size, size + 2)),
        )
        drawn.append((query, key, value, torch.tensor(targets), torch.tensor(sources)))
    return drawn


def _row_by_row(query, key, value, target_lengths, source_lengths):
    out = torch.zeros(*query.shape[:2], value.shape[-1])
    for row, (long, there) in enumerate(zip(target_lengths.tolist(), source_lengths.tolist(), strict=True)):
        for place in range(long):
            powers = torch.exp(key[row, :there] @ query[row, place] / math.sqrt(query.shape[-1]))
            out[row, place] = (powers / powers.sum()) @ value[row, :there]
    return out


def _for_real_queries(answer, query, key, value, target_lengths, source_lengths):
    found = answer(query, key, value, target_lengths, source_lengths)
    fits = isinstance(found, Tensor) and found.shape == (*query.shape[:2], value.shape[-1])
    behind = torch.arange(query.shape[1]) >= target_lengths[:, None]
    return found.masked_fill(behind[..., None], 0.0) if fits else found


def _cross(query, key, value, target_lengths, source_lengths):
    real = torch.arange(key.shape[1]) < source_lengths[:, None]
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = torch.softmax(scores.masked_fill(~real[:, None, :], -math.inf), -1)
    return weights @ value


CROSS = write(
    "11.7",
    oracle=_row_by_row,
    inputs=_cross_inputs,
    call=_for_real_queries,
    mistakes=edited(
        _cross,
        {
            "targets-lengths": ("< source_lengths", "< target_lengths"),
            "targets-mask": [("torch.arange(key", "torch.arange(query"), ("< source_lengths", "< target_lengths")],
            "no-mask": ("scores.masked_fill(~real[:, None, :], -math.inf)", "scores"),
            "filled-with-zero": ("-math.inf", "0.0"),
            "inverted": ("~real", "real"),
            "inverted-large": ("~real[:, None, :], -math.inf", "real[:, None, :], -1e9"),
            "both-lengths": ("< source_lengths[:, None]", "< torch.minimum(source_lengths, target_lengths)[:, None]"),
            "one-too-many": ("< source_lengths", "<= source_lengths"),
            "longest": ("source_lengths[:, None]", "source_lengths.max()[None, None]"),
            "no-root": (" / math.sqrt(query.shape[-1])", ""),
            "after-softmax": (
                "torch.softmax(scores.masked_fill(~real[:, None, :], -math.inf), -1)",
                "torch.softmax(scores, -1) * real[:, None, :]",
            ),
            "over-queries": ("-math.inf), -1)", "-math.inf), 1).nan_to_num(0.0)"),
        },
    ),
)  # fmt: skip


# 11.8 Ablate.


def _without(x, layers, missing):
    for place, layer in enumerate(layers):
        x = x if place == missing else x + layer(x)
    return x


def _one_after_another(x, layers):
    whole = _without(x, layers, -1)
    each = [_without(x, layers, place) for place in range(len(layers))]
    return [(float(((one - whole) ** 2).sum()) / float((whole**2).sum())) ** 0.5 for one in each]


def _to_ablate(generator):
    drawn = []
    for count, shape in ((3, (2, 4, 6)), (4, (3, 2, 5))):
        layers = [_filled(nn.Linear(shape[-1], shape[-1]), generator) for _ in range(count)]
        drawn.append((torch.randn(shape, generator=generator), [_Tanh(layer) for layer in layers]))
    return drawn


class _Tanh:
    """A layer that is not linear, so that the order counts."""

    def __init__(self, layer: nn.Module) -> None:
        self.layer = layer

    def __call__(self, x: Tensor) -> Tensor:
        return torch.tanh(2 * self.layer(x)).detach()


def _ablated(x, layers):
    def run(kept, x=x):
        for layer in kept:
            x = x + layer(x)
        return x

    whole = run(layers)
    found = []
    for place in range(len(layers)):
        less = run([layer for other, layer in enumerate(layers) if other != place])
        found.append(((less - whole).norm() / whole.norm()).item())
    return found


ABLATE = write(
    "11.8",
    oracle=_one_after_another,
    inputs=_to_ablate,
    mistakes=edited(
        _ablated,
        {
            "not-relative": (" / whole.norm()", ""),
            "relative-to-the-input": (" / whole.norm()", " / x.norm()"),
            "relative-to-the-rest": (" / whole.norm()", " / less.norm()"),
            "of-the-sizes": ("(less - whole).norm()", "(whole.norm() - less.norm()).abs()"),
            "alone": ("other != place", "other == place"),
            "one-after-another": ("other != place", "other > place"),
            "all-behind-too": ("other != place", "other < place"),
            "residual-gone-too": (
                "run([layer for other, layer in enumerate(layers) if other != place])",
                "run(layers[place + 1 :], 0 * run(layers[:place]))",
            ),
            "size-of-what-is-added": (
                "(less - whole).norm() / whole.norm()",
                "layers[place](run(layers[:place])).norm() / whole.norm()",
            ),
            "mean-over-words": (
                "((less - whole).norm() / whole.norm()).item()",
                "((less - whole).norm(dim=-1) / whole.norm(dim=-1)).mean().item()",
            ),
            "squared": ("((less - whole).norm() / whole.norm()).item()",
                        "((less - whole).square().sum() / whole.square().sum()).item()"),
            "without-residuals": ("            x = x + layer(x)", "            x = layer(x)"),
            "what-is-left": ("((less - whole).norm() / whole.norm()).item()", "(less.norm() / whole.norm()).item()"),
        },
    ),
)  # fmt: skip


# 11.9 Parameters and operations.


def _counted():
    def parameters(module):
        return sum(weight.numel() for weight in module.parameters())

    encoder = nn.TransformerEncoderLayer(64, 8, 256, batch_first=True)
    decoder = nn.TransformerDecoderLayer(64, 8, 256, batch_first=True)
    return {
        "feed-forward": parameters(encoder.linear1) + parameters(encoder.linear2),
        "attention": parameters(encoder.self_attn),
        "attention of one head": parameters(nn.MultiheadAttention(64, 1)),
        "norm": parameters(encoder.norm1),
        "encoder block": parameters(encoder),
        "decoder block": parameters(decoder),
        "tied embeddings": parameters(nn.Embedding(1000, 64)),
        "equal length": 128,
    }


COUNT = predict(
    "11.9",
    truth=_counted,
    mistakes={
        "one-matrix": {"feed-forward": 64 * 256 + 256},
        "no-biases": {"feed-forward": 2 * 64 * 256},
        "first-bias-only": {"feed-forward": 2 * 64 * 256 + 256},
        "second-bias-only": {"feed-forward": 2 * 64 * 256 + 64},
        "three-matrices": {"attention": 3 * (64 * 64 + 64)},
        "attention-without-biases": {"attention": 4 * 64 * 64},
        "heads-multiply": {"attention": 8 * 4 * (64 * 64 + 64)},
        "fewer-for-one-head": {"attention of one head": 4 * (64 * 8 + 8)},
        "norm-scale-only": {"norm": 64},
        "norm-of-one-number": {"norm": 2},
        "one-norm": {"encoder block": 16640 + 33088 + 128},
        "norms-forgotten": {"encoder block": 16640 + 33088},
        "one-attention": {"decoder block": 49984},
        "two-norms": {"decoder block": 2 * 16640 + 33088 + 2 * 128},
        "one-norm-of-three": {"decoder block": 2 * 16640 + 33088 + 128},
        "no-norm-of-three": {"decoder block": 2 * 16640 + 33088},
        "two-encoder-blocks": {"decoder block": 2 * 49984},
        "bias-of-the-output": {"tied embeddings": 1000 * 64 + 1000},
        "counted-twice": {"tied embeddings": 128000},
        "without-projections": {"equal length": 256},
        "the-size": {"equal length": 64},
    },
)

EXERCISES = [BLOCK, DECODER, LEAKS, STREAM, TOP_P, NEEDED, CROSS, ABLATE, COUNT]
