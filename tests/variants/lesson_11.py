"""Answers to the exercises of lesson 11, written apart from the bank: right ones, and one for each known mistake."""

import torch
import torch.nn.functional as F

INF = float("inf")


# 11.1


def block_in_a_loop(x, attention, feed_forward, norm_1, norm_2, first):
    for layer, norm in ((attention, norm_1), (feed_forward, norm_2)):
        x = x + layer(norm(x)) if first else norm(x + layer(x))
    return x


def block_of_functions(x, attention, feed_forward, norm_1, norm_2, first):
    def around(layer, norm):
        return (lambda y: y + layer(norm(y))) if first else (lambda y: norm(y + layer(y)))

    return around(feed_forward, norm_2)(around(attention, norm_1)(x))


def block_with_names(x, attention, feed_forward, norm_1, norm_2, first):
    if not first:
        after_attention = norm_1(torch.add(attention(x), x))
        return norm_2(torch.add(feed_forward(after_attention), after_attention))
    read = attention(norm_1(x))
    thought = feed_forward(norm_2(x + read))
    return torch.stack([x, read, thought]).sum(0)


def block_like(pre, post, swapped=False, only=2):
    """A block whose sublayers are put around their layer by `pre(x, layer, norm)` or `post(x, layer, norm)`."""

    def block(x, attention, feed_forward, norm_1, norm_2, first):
        norms = (norm_2, norm_1) if swapped else (norm_1, norm_2)
        for layer, norm in list(zip((attention, feed_forward), norms, strict=True))[:only]:
            x = (pre if first else post)(x, layer, norm)
        return x

    return block


def norm_first(x, layer, norm):
    return layer(norm(x)) + x


def norm_last(x, layer, norm):
    return norm(layer(x) + x)


def norm_on_the_line(x, layer, norm):
    return norm(x) + layer(norm(x))


def one_residual(x, attention, feed_forward, norm_1, norm_2, first):
    if first:
        return feed_forward(norm_2(norm_first(x, attention, norm_1)))
    return norm_2(feed_forward(norm_last(x, attention, norm_1)))


def late_residual(x, attention, feed_forward, norm_1, norm_2, first):
    if first:
        return norm_first(attention(norm_1(x)), feed_forward, norm_2)
    return norm_last(norm_1(attention(x)), feed_forward, norm_2)


def same_norm(x, attention, feed_forward, norm_1, norm_2, first):
    return block_in_a_loop(x, attention, feed_forward, norm_1, norm_1, first)


def half_normed(x, attention, feed_forward, norm_1, norm_2, first):
    return block_in_a_loop(x, attention, feed_forward, norm_1, lambda y: y, first)


def abreast(x, attention, feed_forward, norm_1, norm_2, first):
    if first:
        return x + attention(norm_1(x)) + feed_forward(norm_2(x))
    return norm_2(norm_1(x + attention(x)) + feed_forward(x))


def turned_round(x, attention, feed_forward, norm_1, norm_2, first):
    return block_in_a_loop(x, feed_forward, attention, norm_1, norm_2, first)


def from_x_again(x, attention, feed_forward, norm_1, norm_2, first):
    if first:
        return x + feed_forward(norm_2(norm_first(x, attention, norm_1)))
    return norm_2(x + feed_forward(norm_last(x, attention, norm_1)))


# 11.2


def both_masks(target_real, source_real):
    places = torch.arange(target_real.shape[1])
    return (places[None, :] <= places[:, None]) & target_real.unsqueeze(1), source_real.unsqueeze(1)


def decoder_in_a_loop(target, memory, target_real, source_real, parts):
    own, other = both_masks(target_real, source_real)
    steps = [
        (parts.norm_1, lambda x: parts.self_attention(x, x, x, own)),
        (parts.norm_2, lambda x: parts.cross_attention(x, memory, memory, other)),
        (parts.norm_3, parts.feed_forward),
    ]
    for norm, layer in steps:
        target = target + layer(norm(target))
    return target


def decoder_item_by_item(target, memory, target_real, source_real, parts):
    out = torch.zeros_like(target)
    for row in range(len(target)):
        x, words = target[row][target_real[row]][None], memory[row][source_real[row]][None]
        own = ~torch.ones(x.shape[1], x.shape[1]).triu(1).bool()
        read = parts.norm_1(x)
        x = x + parts.self_attention(read, read, read, own[None])
        every = torch.ones(1, 1, words.shape[1], dtype=torch.bool)
        x = x + parts.cross_attention(parts.norm_2(x), words, words, every)
        out[row, target_real[row]] = (x + parts.feed_forward(parts.norm_3(x)))[0]
    return out


def decoder_in_three_lines(target, memory, target_real, source_real, parts):
    own = torch.tril(target_real[:, None, :].expand(-1, target.shape[1], -1))
    a = target + parts.self_attention(*[parts.norm_1(target)] * 3, own)
    b = a + parts.cross_attention(parts.norm_2(a), memory, memory, source_real[:, None].expand(-1, len(a[0]), -1))
    return b + parts.feed_forward(parts.norm_3(b))


def decoder_with_numbers(target, memory, target_real, source_real, parts):
    own = torch.ones(target.shape[1], target.shape[1]).tril() * target_real[:, None]
    read = parts.norm_1(target)
    target = target + parts.self_attention(read, read, read, own)
    target = target + parts.cross_attention(parts.norm_2(target), memory, memory, source_real[:, None].float())
    return target + parts.feed_forward(parts.norm_3(target))


def decoder_without_masks(target, memory, target_real, source_real, parts):
    read = parts.norm_1(target)
    target = target + parts.self_attention(read, read, read, None)
    target = target + parts.cross_attention(parts.norm_2(target), memory, memory, None)
    return target + parts.feed_forward(parts.norm_3(target))


def decoder_like(own=None, other=None, first=None, second=None, add=(True, True, True), pre=True, line=False):
    """A decoder layer with other masks, other attentions, other sums."""

    def decoder_layer(target, memory, target_real, source_real, parts):
        masks = list(both_masks(target_real, source_real))
        masks[0] = own(target_real) if own else masks[0]
        masks[1] = other(target_real, source_real) if other else masks[1]

        def looks_at_itself(x):
            return parts.self_attention(x, x, x, masks[0])

        def looks_at_the_source(x):
            return second(parts, x, memory, masks) if second else parts.cross_attention(x, memory, memory, masks[1])

        layers = [looks_at_itself, looks_at_the_source, parts.feed_forward]
        layers = first(layers) if first else layers
        for layer, norm, adds in zip(layers, (parts.norm_1, parts.norm_2, parts.norm_3), add, strict=False):
            if line:
                target = norm(target)
                target = target + layer(target)
            elif not pre:
                target = norm(target + layer(target))
            else:
                target = layer(norm(target)) + (target if adds else 0)
        return target

    return decoder_layer


def decoder_with_norms(one, two, three):
    """A decoder layer whose parts read the stream through `one(parts)` and so on."""

    def decoder_layer(target, memory, target_real, source_real, parts):
        own, other = both_masks(target_real, source_real)
        x = one(parts)(target)
        a = target + parts.self_attention(x, x, x, own)
        b = a + parts.cross_attention(two(parts)(a), memory, memory, other)
        return b + parts.feed_forward(three(parts)(b))

    return decoder_layer


def decoder_asks_with_the_old(target, memory, target_real, source_real, parts):
    own, other = both_masks(target_real, source_real)
    asks = parts.norm_1(target)
    told = target + parts.self_attention(asks, asks, asks, own)
    told = told + parts.cross_attention(asks, memory, memory, other)
    return parts.feed_forward(parts.norm_3(told)) + told


def as_it_is(parts):
    return lambda x: x


def first_norm(parts):
    return parts.norm_1


def second_norm(parts):
    return parts.norm_2


def third_norm(parts):
    return parts.norm_3


def decoder_exchanged(target, memory, target_real, source_real, parts):
    own, other = both_masks(target_real, source_real)
    a = target + parts.cross_attention(*[parts.norm_1(target)] * 3, own)
    b = a + parts.self_attention(parts.norm_2(a), memory, memory, other)
    return b + parts.feed_forward(parts.norm_3(b))


def decoder_with_bare_keys(target, memory, target_real, source_real, parts):
    own, other = both_masks(target_real, source_real)
    a = target + parts.self_attention(parts.norm_1(target), target, target, own)
    b = a + parts.cross_attention(parts.norm_2(a), memory, memory, other)
    return b + parts.feed_forward(parts.norm_3(b))


def decoder_last_norm_outside(target, memory, target_real, source_real, parts):
    own, other = both_masks(target_real, source_real)
    a = target + parts.self_attention(*[parts.norm_1(target)] * 3, own)
    b = a + parts.cross_attention(parts.norm_2(a), memory, memory, other)
    return parts.norm_3(torch.add(parts.feed_forward(b), b))


def decoder_into_the_target(target, memory, target_real, source_real, parts):
    own, other = both_masks(target_real, source_real)
    target.add_(parts.self_attention(*[parts.norm_1(target)] * 3, own))
    target.add_(parts.cross_attention(parts.norm_2(target), memory, memory, other))
    return target + parts.feed_forward(parts.norm_3(target))


def decoder_step_by_step_in_place(target, memory, target_real, source_real, parts):
    own, other = both_masks(target_real, source_real)
    x = parts.norm_1(target)
    target += parts.self_attention(x, x, x, own)
    target += parts.cross_attention(parts.norm_2(target), memory, memory, other)
    target += parts.feed_forward(parts.norm_3(target))
    return target


def lower(n, diagonal=0):
    return torch.ones(n, n).tril(diagonal).bool()


# 11.3


def step_with_ranges(target):
    n = target.size(1) - 1
    places = torch.arange(n)
    return target.narrow(1, 0, n), target.narrow(1, 1, n), places.unsqueeze(0) <= places.unsqueeze(1)


def step_with_padding(target):
    reads = target[..., :-1].clone()
    seen = ~torch.triu(torch.ones(reads.shape[1], reads.shape[1], dtype=torch.bool), 1)
    return reads, target[..., 1:].clone(), seen & (reads != 0)[:, None, :]


def step_in_a_loop(target):
    rows = target.tolist()
    n = len(rows[0]) - 1
    mask = torch.zeros(len(rows), n, n, dtype=torch.bool)
    for query in range(n):
        mask[:, query, : query + 1] = True
    return torch.tensor([row[:n] for row in rows]), torch.tensor([row[1:] for row in rows]), mask


def step_for_heads(target):
    reads, writes, mask = step_with_ranges(target)
    return reads, writes, mask[None, None].expand(len(target), 1, -1, -1)


def step_with_numbers(target):
    return target[:, :-1], target[:, 1:], torch.ones(target.shape[1] - 1, target.shape[1] - 1).tril()


def step_additive_with_padding(target):
    reads, writes, seen = step_with_padding(target)
    return reads, writes, torch.zeros(seen.shape).masked_fill(~seen, -INF)


def step_like(reads, writes, mask=lower):
    def step(target):
        n = target.shape[1] - 1
        return target[:, reads], target[:, writes], mask(n)

    return step


FRONT, BACK, ALL = slice(0, -1), slice(1, None), slice(None)


def mask_from_ranges(compare):
    return lambda n: compare(torch.arange(n)[None, :], torch.arange(n)[:, None])


# 11.4


def stack_from_a_sum(x, sublayers):
    added = torch.zeros_like(x)
    for norm, layer in sublayers:
        added = added + layer(norm(x + added))
    return x + added


def stack_recursive(x, sublayers):
    if not sublayers:
        return x
    norm, layer = sublayers[0]
    return stack_recursive(torch.add(x, layer(norm(x))), sublayers[1:])


def stack_on_a_copy(x, sublayers):
    stream = x.clone()
    for pair in sublayers:
        stream += pair[1](pair[0](stream))
    return stream


def stack_like(one):
    """A stack whose stream goes on as `one(stream, norm, layer, x)` says."""

    def stack(x, sublayers):
        stream = x
        for norm, layer in sublayers:
            stream = one(stream, norm, layer, x)
        return stream

    return stack


def only_one(x, sublayers):
    norm, layer = sublayers[0]
    return x + layer(norm(x))


def into_x(x, sublayers):
    for norm, layer in sublayers:
        x.add_(layer(norm(x)))
    return x


# 11.5


def likelier(probabilities):
    """Which tokens come before a token: (…, token, likelier one, or one as likely and further to the right)."""
    one, other = probabilities[..., None, :], probabilities[..., :, None]
    places = torch.arange(probabilities.shape[-1])
    return (one > other) | ((one == other) & (places > places[:, None]))


def nucleus_by_rank(probabilities, p):
    collected_before = (likelier(probabilities) * probabilities[..., None, :]).sum(-1)
    kept = torch.where(collected_before < p, probabilities, 0.0)
    return kept / kept.sum(-1, keepdim=True)


def nucleus_in_a_loop(probabilities, p):
    out = torch.zeros_like(probabilities).flatten(0, -2)
    for row, source in zip(out, probabilities.flatten(0, -2), strict=True):
        total = 0.0
        for place in source.argsort(descending=True):
            row[place] = source[place]
            total += source[place]
            if total >= p:
                break
        row /= row.sum()
    return out.view_as(probabilities)


def nucleus_with_softmax(probabilities, p):
    ordered, places = torch.sort(probabilities, descending=True)
    drop = torch.cumsum(ordered, -1) > p
    drop[..., 1:] = drop[..., :-1].clone()
    drop[..., 0] = False
    logits = probabilities.log().masked_fill(drop.gather(-1, places.argsort(-1)), -INF)
    return torch.softmax(logits, -1)


def collected_before(probabilities):
    return (likelier(probabilities) * probabilities[..., None, :]).sum(-1)


def shared_out(kept):
    return kept / kept.sum(-1, keepdim=True)


def keep_where(holds):
    """Keeps the tokens for which `holds(probabilities, collected before, p)`."""

    def top_p(probabilities, p):
        return shared_out(torch.where(holds(probabilities, collected_before(probabilities), p), probabilities, 0.0))

    return top_p


def strictly_inside(probabilities, before, p):
    return before + probabilities <= p


def without_division(probabilities, p):
    return torch.where(collected_before(probabilities) < p, probabilities, 0.0)


def left_sorted(probabilities, p):
    return nucleus_by_rank(probabilities, p).sort(-1, descending=True).values


def from_below(probabilities, p):
    smaller = (probabilities[..., None, :] < probabilities[..., :, None]).float()
    before = (smaller * probabilities[..., None, :]).sum(-1)
    return shared_out(torch.where(before < p, probabilities, 0.0))


def one_more(probabilities, p):
    needed = (collected_before(probabilities) < p).sum(-1, keepdim=True)
    return shared_out(torch.where(likelier(probabilities).sum(-1) <= needed, probabilities, 0.0))


def soft_again(probabilities, p):
    return torch.where(collected_before(probabilities) < p, probabilities, -INF).softmax(-1)


def kept_without_its_order(probabilities, p):
    ordered = probabilities.sort(-1, descending=True).values
    return shared_out(torch.where(ordered.cumsum(-1) - ordered < p, probabilities, 0.0))


def kept_by_index(probabilities, p):
    ordered, places = probabilities.sort(-1, descending=True)
    keep = ordered.cumsum(-1) - ordered < p
    return shared_out(torch.where(torch.take_along_dim(keep, places, -1), probabilities, 0.0))


def all_that_tie(probabilities, p):
    bigger = probabilities[..., None, :] > probabilities[..., :, None]
    return shared_out(probabilities * ((bigger * probabilities[..., None, :]).sum(-1) < p))


def least_that_stays(probabilities, p):
    ordered = probabilities.sort(-1, descending=True).values
    needed = (ordered.cumsum(-1) < p).sum(-1, keepdim=True).clamp(max=ordered.shape[-1] - 1)
    return shared_out(torch.where(probabilities >= ordered.gather(-1, needed), probabilities, 0.0))


def indexed_wrongly(probabilities, p):
    ordered, places = probabilities.sort(-1, descending=True)
    kept = torch.where(ordered.cumsum(-1) - ordered < p, ordered, 0.0)
    return shared_out(torch.take_along_dim(kept, places, -1))


def first_share(probabilities, p):
    rank = likelier(probabilities).sum(-1)
    return shared_out(torch.where(rank < p * probabilities.shape[-1], probabilities, 0.0))


# 11.6

PLAIN = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 0]])
LONG = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 30]])


# 11.7


def cross_with_kernel(query, key, value, target_lengths, source_lengths):
    mask = torch.arange(key.size(1)).expand(len(key), -1) < source_lengths.unsqueeze(1)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask.unsqueeze(1))


def cross_with_einsum(query, key, value, target_lengths, source_lengths):
    hidden = torch.arange(key.shape[1])[None] >= source_lengths[:, None]
    scores = torch.einsum("bqd,bkd->bqk", query, key) * query.shape[-1] ** -0.5
    return torch.einsum("bqk,bkd->bqd", F.softmax(scores - 1e9 * hidden[:, None], -1), value)


def cross_row_by_row(query, key, value, target_lengths, source_lengths):
    rows = []
    for q, k, v, n in zip(query, key, value, source_lengths.tolist(), strict=True):
        rows.append(torch.softmax(q @ k[:n].T / q.shape[-1] ** 0.5, -1) @ v[:n])
    return torch.stack(rows)


def cross_like(real, scale=None, fill=-INF, dim=-1):
    def cross(query, key, value, target_lengths, source_lengths):
        scores = torch.einsum("bqd,bkd->bqk", query, key) * (query.shape[-1] ** -0.5 if scale is None else scale)
        seen = real(query, key, target_lengths[:, None], source_lengths[:, None])[:, None]
        return torch.where(seen, scores, fill).softmax(dim).nan_to_num(0 if dim == 1 else float("nan")) @ value

    return cross


def places(x):
    return torch.arange(x.shape[1])[None]


def queries_masked(query, key, value, target_lengths, source_lengths):
    scores = torch.einsum("bqd,bkd->bqk", query, key) * query.shape[-1] ** -0.5
    return scores.masked_fill((places(query) >= target_lengths[:, None]).unsqueeze(-1), -1e9).softmax(-1) @ value


def masked_late(query, key, value, target_lengths, source_lengths):
    weights = F.softmax(query @ key.mT * query.shape[-1] ** -0.5, -1)
    return torch.where(places(key)[:, None] < source_lengths[:, None, None], weights, 0.0) @ value


# 11.8


def worth_with_a_flag(x, layers):
    def run(missing=None):
        stream = x
        for layer in layers:
            if layer is not missing:
                stream = stream + layer(stream)
        return stream

    whole = run()
    return [float(torch.dist(run(layer), whole) / torch.linalg.vector_norm(whole)) for layer in layers]


def worth_from_prefixes(x, layers):
    states = [x]
    for layer in layers:
        states.append(states[-1] + layer(states[-1]))
    found = []
    for place in range(len(layers)):
        stream = states[place]
        for layer in layers[place + 1 :]:
            stream = stream + layer(stream)
        found.append((stream - states[-1]).norm() / states[-1].norm())
    return torch.stack(found).tolist()


def worth_as_floats(x, layers):
    whole = run_all(x, layers)
    found = []
    for place in range(len(layers)):
        less = run_all(x, [layer for other, layer in enumerate(layers) if other != place])
        found.append(float(((less - whole) ** 2).sum().sqrt() / (whole**2).sum().sqrt()))
    return found


def run_all(x, layers):
    for layer in layers:
        x = x + layer(x)
    return x


def worth_like(kept, size=lambda less, whole, x: (less - whole).norm() / whole.norm(), run=run_all):
    def worth(x, layers):
        whole = run(x, layers)
        return [size(run(x, kept(layers, place)), whole, x).item() for place in range(len(layers))]

    return worth


def worth_of_the_notes(x, layers):
    notes, stream = [], x.clone()
    for layer in layers:
        notes.append(layer(stream))
        stream += notes[-1]
    return [float(note.norm() / stream.norm()) for note in notes]


def but_one(layers, place):
    return layers[:place] + layers[place + 1 :]


def replaced(x, layers):
    for layer in layers:
        x = layer(x)
    return x


def cut_through(x, layers):
    whole, found = run_all(x, layers), []
    for place in range(len(layers)):
        less = run_all(torch.zeros_like(x), layers[place + 1 :])
        found.append(((less - whole).norm() / whole.norm()).item())
    return found


# 11.9

COUNTS = {
    "feed-forward": 33088, "attention": 16640, "attention of one head": 16640, "norm": 128, "encoder block": 49984,
    "decoder block": 66752, "tied embeddings": 64000, "equal length": 128,
}  # fmt: skip


RIGHT = {
    "11.1": [block_in_a_loop, block_of_functions, block_with_names],
    "11.2": [decoder_in_a_loop, decoder_item_by_item, decoder_in_three_lines, decoder_with_numbers],
    "11.3": [step_with_ranges, step_with_padding, step_in_a_loop, step_for_heads, step_with_numbers],
    "11.4": [stack_from_a_sum, stack_recursive, stack_on_a_copy],
    "11.5": [nucleus_by_rank, nucleus_in_a_loop, nucleus_with_softmax],
    "11.6": [
        {"needed": PLAIN, "spared": LONG},
        {
            "needed": [[0.5, 1], [1, -0.5], [0.2, 0.3], [0, 1]],
            "spared": torch.diag(torch.tensor([1.0, 2, 1, 20])).tolist(),
        },
        {"needed": PLAIN.numpy(), "spared": LONG.double().requires_grad_()},
    ],
    "11.7": [cross_with_kernel, cross_with_einsum, cross_row_by_row],
    "11.8": [worth_with_a_flag, worth_from_prefixes, worth_as_floats],
    "11.9": [
        COUNTS,
        {**COUNTS, "feed-forward": 33_088.0, "norm": "128"},
        {**COUNTS, "attention": torch.tensor(16640), "norm": 2 * 64.0},
    ],
}

WRONG = {
    "11.1": {
        "no-residual": [block_like(lambda x, f, n: f(n(x)), lambda x, f, n: n(f(x)))],
        "one-residual": [one_residual],
        "first-residual-missing": [late_residual],
        "always-last": [block_like(norm_last, norm_last)],
        "always-first": [block_like(norm_first, norm_first)],
        "the-other-way": [block_like(norm_last, norm_first)],
        "residual-after-norm": [block_like(norm_on_the_line, norm_last)],
        "norm-before-adding": [block_like(norm_first, lambda x, f, n: x + n(f(x)))],
        "norm-behind-the-layer": [block_like(lambda x, f, n: n(f(x)) + x, norm_last)],
        "no-norms": [block_like(lambda x, f, n: f(x) + x, lambda x, f, n: f(x) + x)],
        "second-norm-missing": [half_normed],
        "normed-on-both-sides": [block_like(lambda x, f, n: n(f(n(x)) + x), norm_last)],
        "one-norm-twice": [same_norm],
        "norms-swapped": [block_like(norm_first, norm_last, swapped=True)],
        "side-by-side": [abreast],
        "feed-forward-first": [turned_round],
        "added-from-the-input": [from_x_again],
        "no-feed-forward": [block_like(norm_first, norm_last, only=1)],
    },
    "11.2": {
        "not-causal": [decoder_like(own=lambda real: real[:, None].expand(-1, real.shape[1], -1))],
        "padding-on-the-queries": [decoder_like(own=lambda real: lower(real.shape[1]) & real.unsqueeze(-1))],
        "source-padding-on-the-queries": [decoder_like(other=lambda target, source: source.unsqueeze(-1))],
        "mask-without-axis": [
            decoder_like(other=lambda target, source: source),
            decoder_like(
                second=lambda parts, x, memory, masks: parts.cross_attention(x, memory, memory, masks[1].squeeze(1))
            ),
        ],
        "additive-mask": [
            decoder_like(own=lambda real: torch.nn.Transformer.generate_square_subsequent_mask(real.shape[1])),
            decoder_like(own=lambda real: torch.where(lower(real.shape[1]) & real[:, None], 0.0, -1e9)),
            decoder_like(other=lambda target, source: torch.where(source, 0.0, -INF)[:, None]),
        ],
        "causal-hidden-is-true": [
            decoder_like(own=lambda real: torch.ones(2 * [real.shape[1]]).triu(1).bool() & real[:, None])
        ],
        "one-ahead": [decoder_like(own=lambda real: lower(real.shape[1], 1) & real[:, None])],
        "keys-from-the-target": [
            decoder_like(second=lambda parts, x, memory, masks: parts.cross_attention(x, x, memory, masks[1]))
        ],
        "attentions-exchanged": [decoder_exchanged],
        "first-norm-missing": [decoder_with_norms(as_it_is, second_norm, third_norm)],
        "second-norm-missing": [decoder_with_norms(first_norm, as_it_is, third_norm)],
        "third-norm-missing": [decoder_with_norms(first_norm, second_norm, as_it_is)],
        "no-norms": [decoder_with_norms(as_it_is, as_it_is, as_it_is)],
        "only-the-query-normed": [decoder_with_bare_keys],
        "one-norm-for-all": [decoder_with_norms(first_norm, first_norm, first_norm)],
        "second-norm-twice": [decoder_with_norms(first_norm, second_norm, second_norm)],
        "third-norm-last": [decoder_last_norm_outside],
        "in-place": [decoder_into_the_target, decoder_step_by_step_in_place],
        "target-padding-seen": [decoder_like(own=lambda real: lower(real.shape[1])[None])],
        "first-mask-missing": [decoder_like(own=lambda real: None)],
        "cross-asks-with-the-old": [decoder_asks_with_the_old],
        "source-padding-seen": [decoder_like(other=lambda target, source: torch.full_like(source, True)[:, None])],
        "both-paddings-seen": [
            decoder_like(
                lambda real: lower(real.shape[1]), lambda target, source: torch.full_like(source, True)[:, None]
            )
        ],
        "no-masks": [decoder_without_masks],
        "hidden-is-true": [
            decoder_like(
                own=lambda real: torch.logical_or(lower(real.shape[1]).logical_not(), ~real[:, None]),
                other=lambda target, source: source.logical_not()[:, None],
            )
        ],
        "looks-ahead": [decoder_like(own=lambda real: lower(real.shape[1]).T & real[:, None])],
        "not-itself": [decoder_like(own=lambda real: lower(real.shape[1], -1) & real[:, None])],
        "targets-mask-on-the-source": [decoder_like(other=lambda target, source: target[:, None])],
        "causal-on-the-source": [
            decoder_like(
                other=lambda target, source: (
                    (torch.arange(source.shape[1])[None] <= torch.arange(target.shape[1])[:, None]) & source[:, None]
                )
            )
        ],
        "never-looks-at-the-source": [
            decoder_like(second=lambda parts, x, memory, masks: parts.cross_attention(x, x, x, masks[0]))
        ],
        "source-asks": [
            decoder_like(second=lambda parts, x, memory, masks: parts.cross_attention(memory, x, x, masks[0][:, -1:]))
        ],
        "values-from-the-target": [
            decoder_like(second=lambda parts, x, memory, masks: parts.cross_attention(x, memory, x, masks[1]))
        ],
        "memory-normed": [
            decoder_like(
                second=lambda parts, x, memory, masks: parts.cross_attention(x, *[parts.norm_2(memory)] * 2, masks[1])
            )
        ],
        "cross-first": [decoder_like(first=lambda layers: [layers[1], layers[0], layers[2]])],
        "no-residual": [decoder_like(add=(False, False, False))],
        "cross-without-residual": [decoder_like(add=(True, False, True))],
        "residual-after-norm": [decoder_like(line=True)],
        "norm-last": [decoder_like(pre=False)],
        "no-feed-forward": [decoder_like(first=lambda layers: layers[:2])],
    },
    "11.3": {
        "not-shifted": [step_like(BACK, BACK)],
        "whole-target-twice": [step_like(ALL, ALL, lambda n: lower(n + 1))],
        "first-part-twice": [step_like(FRONT, FRONT)],
        "shifted-backwards": [step_like(BACK, FRONT)],
        "reads-the-whole": [step_like(ALL, BACK, lambda n: lower(n + 1))],
        "no-mask": [step_like(FRONT, BACK, lambda n: torch.full((1, 1, n), True))],
        "mask-of-nothing": [step_like(FRONT, BACK, lambda n: None)],
        "additive-mask": [
            step_like(FRONT, BACK, torch.nn.Transformer.generate_square_subsequent_mask),
            step_like(FRONT, BACK, lambda n: torch.where(lower(n), 0.0, -1e9)[None]),
            step_additive_with_padding,
        ],
        "looks-ahead": [step_like(FRONT, BACK, mask_from_ranges(torch.ge))],
        "not-itself": [step_like(FRONT, BACK, mask_from_ranges(torch.lt))],
        "one-ahead": [step_like(FRONT, BACK, mask_from_ranges(lambda key, query: key <= query + 1))],
        "hidden-is-true": [step_like(FRONT, BACK, mask_from_ranges(torch.gt))],
        "both-leaks": [step_like(BACK, BACK, mask_from_ranges(torch.ge))],
        "mask-of-the-whole": [step_like(FRONT, BACK, lambda n: lower(n + 1))],
    },
    "11.4": {
        "still-normed": [stack_like(lambda s, norm, layer, x: norm(s) + layer(norm(s)))],
        "no-residual": [stack_like(lambda s, norm, layer, x: layer(norm(s)))],
        "norm-last": [stack_like(lambda s, norm, layer, x: norm(torch.add(s, layer(s))))],
        "norm-of-what-is-added": [stack_like(lambda s, norm, layer, x: norm(layer(s)) + s)],
        "no-norm": [stack_like(lambda s, norm, layer, x: layer(s) + s)],
        "both-normed": [stack_like(lambda s, norm, layer, x: layer(s) + norm(s))],
        "reads-the-norm-adds-the-norm": [stack_like(lambda s, norm, layer, x: sum([s, norm(s), layer(norm(s))]))],
        "from-the-input": [stack_like(lambda s, norm, layer, x: layer(norm(s)) + x)],
        "all-read-the-input": [stack_like(lambda s, norm, layer, x: s + layer(norm(x)))],
        "first-only": [only_one],
        "in-place": [into_x],
    },
    "11.5": {
        "not-shared-out": [without_division],
        "without-the-last": [keep_where(strictly_inside)],
        "without-the-last-zeros": [lambda q, p: keep_where(strictly_inside)(q, p).nan_to_num(0)],
        "without-the-last-but-one-at-least": [keep_where(lambda q, before, p: (before + q <= p) | (before == 0))],
        "sorted": [left_sorted],
        "least-first": [from_below],
        "threshold": [keep_where(lambda q, before, p: q >= p)],
        "threshold-of-the-rest": [keep_where(lambda q, before, p: q >= 1 - p)],
        "share-of-the-largest": [keep_where(lambda q, before, p: q >= p * q.amax(-1, keepdim=True))],
        "one-too-many": [one_more],
        "softmax-again": [soft_again],
        "places-not-undone": [indexed_wrongly],
        "keep-in-sorted-order": [kept_without_its_order],
        "keep-gathered": [kept_by_index],
        "ties-stay": [all_that_tie, least_that_stays],
        "share-of-the-number": [first_share],
        "all-kept": [lambda q, p: q, lambda q, p: q.clone()],
        "likeliest-only": [lambda q, p: F.one_hot(q.argmax(-1), q.shape[-1]).float()],
    },
    "11.6": {
        "not-shaped": [{"needed": PLAIN[:2], "spared": LONG}, {"needed": PLAIN, "spared": 100 * LONG}],
        "not-needed": [{"needed": LONG, "spared": LONG}],
        "rows-alike": [{"needed": PLAIN, "spared": torch.ones(4, 3)}],
        "nothing-moves": [{"needed": PLAIN, "spared": torch.diag(torch.tensor([20.0, 30.0, 40.0]))}],
        "not-spared": [{"needed": PLAIN, "spared": PLAIN}],
    },
    "11.7": {
        "targets-lengths": [cross_like(lambda query, key, target, source: places(key) < target)],
        "targets-mask": [cross_like(lambda query, key, target, source: places(query) < target)],
        "no-mask": [
            cross_like(lambda query, key, target, source: places(key) < INF),
            queries_masked,
        ],
        "filled-with-zero": [cross_like(lambda query, key, target, source: places(key) < source, fill=0.0)],
        "inverted": [cross_like(lambda query, key, target, source: places(key) >= source)],
        "inverted-large": [cross_like(lambda query, key, target, source: places(key) >= source, fill=-1e9)],
        "both-lengths": [
            cross_like(lambda query, key, target, source: (places(key) < source) & (places(key) < target))
        ],
        "one-too-many": [cross_like(lambda query, key, target, source: places(key) - 1 < source)],
        "longest": [cross_like(lambda query, key, target, source: (places(key) < source.max()).expand(len(key), -1))],
        "no-root": [cross_like(lambda query, key, target, source: places(key) < source, scale=1.0)],
        "after-softmax": [masked_late],
        "over-queries": [cross_like(lambda query, key, target, source: places(key) < source, dim=1)],
    },
    "11.8": {
        "not-relative": [worth_like(but_one, lambda less, whole, x: torch.dist(less, whole))],
        "relative-to-the-input": [worth_like(but_one, lambda less, whole, x: torch.dist(less, whole) / x.norm())],
        "relative-to-the-rest": [worth_like(but_one, lambda less, whole, x: torch.dist(less, whole) / less.norm())],
        "of-the-sizes": [worth_like(but_one, lambda less, whole, x: (1 - less.norm() / whole.norm()).abs())],
        "alone": [worth_like(lambda layers, place: layers[place : place + 1])],
        "one-after-another": [worth_like(lambda layers, place: layers[place + 1 :])],
        "all-behind-too": [worth_like(lambda layers, place: layers[:place])],
        "residual-gone-too": [cut_through],
        "size-of-what-is-added": [worth_of_the_notes],
        "mean-over-words": [
            worth_like(
                but_one, lambda less, whole, x: torch.mean(torch.linalg.norm(less - whole, dim=-1) / whole.norm(dim=-1))
            )
        ],
        "squared": [worth_like(but_one, lambda less, whole, x: torch.dist(less, whole) ** 2 / whole.norm() ** 2)],
        "without-residuals": [worth_like(but_one, run=replaced)],
        "what-is-left": [worth_like(but_one, lambda less, whole, x: less.norm() / whole.norm())],
    },
    "11.9": {
        "one-matrix": [{**COUNTS, "feed-forward": 16640}],
        "no-biases": [{**COUNTS, "feed-forward": 32768}],
        "first-bias-only": [{**COUNTS, "feed-forward": 33024}],
        "second-bias-only": [{**COUNTS, "feed-forward": 32832}],
        "three-matrices": [{**COUNTS, "attention": 12480}],
        "attention-without-biases": [{**COUNTS, "attention": 16384}],
        "heads-multiply": [{**COUNTS, "attention": 133120}],
        "fewer-for-one-head": [{**COUNTS, "attention of one head": 2080}],
        "norm-scale-only": [{**COUNTS, "norm": 64}],
        "norm-of-one-number": [{**COUNTS, "norm": 2}],
        "one-norm": [{**COUNTS, "encoder block": 49856}],
        "norms-forgotten": [{**COUNTS, "encoder block": 49728}],
        "one-attention": [{**COUNTS, "decoder block": 49984}],
        "two-norms": [{**COUNTS, "decoder block": 66624}],
        "one-norm-of-three": [{**COUNTS, "decoder block": 66496}],
        "no-norm-of-three": [{**COUNTS, "decoder block": 66368}],
        "two-encoder-blocks": [{**COUNTS, "decoder block": 99968}],
        "bias-of-the-output": [{**COUNTS, "tied embeddings": 65000}],
        "counted-twice": [{**COUNTS, "tied embeddings": 128_000}],
        "without-projections": [{**COUNTS, "equal length": 256}],
        "the-size": [{**COUNTS, "equal length": 64}],
    },
}

UNTOUCHED = {}
