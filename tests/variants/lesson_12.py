"""Answers to the exercises of lesson 12, written apart from the bank: right ones, and one for each known mistake."""

import math

import torch
import torch.nn.functional as F

INF = float("inf")


# 12.1


def cut_with_einops_order(pictures, size, order="ncdij"):
    """Squares by einsum, whose letters say in which order they and their pixels follow each other."""
    batch, rows, columns = pictures.shape
    parts = pictures.reshape(batch, rows // size, size, columns // size, size)  # n, c = down, i, d = across, j
    return torch.einsum(f"ncidj->{order}", parts).reshape(batch, -1, size * size)


def lay(tokens, shape, size, order="ncdij"):
    batch, rows, columns = shape
    sides = {"n": batch, "c": rows // size, "d": columns // size, "i": size, "j": size}
    parts = tokens.reshape([sides[letter] for letter in order])
    return torch.einsum(f"{order}->ncidj", parts).reshape(batch, rows, columns)


def with_einsum(pictures, tokens, size):
    return cut_with_einops_order(pictures, size), lay(tokens, pictures.shape, size)


def with_loops(pictures, tokens, size):
    rows, columns = pictures.shape[1:]
    corners = [(r, c) for r in range(0, rows, size) for c in range(0, columns, size)]
    there = torch.stack([pictures[:, r : r + size, c : c + size].flatten(1) for r, c in corners], 1)
    back = torch.zeros_like(pictures)
    for token, (r, c) in zip(tokens.unbind(1), corners, strict=True):
        back[:, r : r + size, c : c + size] = token.view(-1, size, size)
    return there, back


def with_windows(pictures, tokens, size):
    rows, columns = pictures.shape[1:]
    there = pictures.unfold(1, size, size).unfold(2, size, size).flatten(1, 2).flatten(2)
    grid = tokens.unflatten(1, (rows // size, columns // size)).unflatten(-1, (size, size))
    return there, grid.permute(0, 1, 3, 2, 4).contiguous().view_as(pictures)


def in_orders(there, back):
    """One wrong answer: the orders of the squares on both ways; "" leaves a plain reshape."""

    def answer(pictures, tokens, size):
        shape = pictures.shape
        cut = cut_with_einops_order(pictures, size, there) if there else pictures.reshape(tokens.shape)
        return cut, lay(tokens, shape, size, back) if back else tokens.reshape(shape)

    return answer


def sides_exchanged(cut, laid):
    """A wrong answer: as many squares below each other as lie side by side, on one way or both."""

    def answer(pictures, tokens, size):
        batch, rows, columns = pictures.shape
        there, back = with_loops(pictures, tokens, size)
        if cut:
            there = cut_with_einops_order(pictures.reshape(batch, columns, rows), size)
        return there, lay(tokens, (batch, columns, rows), size).reshape(batch, rows, columns) if laid else back

    return answer


def back_of_its_own(pictures, tokens, size):
    return with_loops(pictures, tokens, size)[0], pictures.clone()


def other_axes(pictures, tokens, size):
    batch, rows, columns = pictures.shape
    parts = tokens.view(batch, rows // size, columns // size, size, size)
    return with_loops(pictures, tokens, size)[0], parts.permute(0, 2, 1, 3, 4).reshape(batch, rows, columns)


# 12.2


def square(picture, row, column, reach):
    return picture[row - reach : row + reach + 1, column - reach : column + reach + 1]


def inner(picture, reach):
    return picture[reach : picture.shape[0] - reach, reach : picture.shape[1] - reach]


def apart(picture, row, column, reach, of=lambda a, b: ((a - b) ** 2).sum()):
    """What each square differs from that of the pixel, place by place."""
    rows, columns = picture.shape
    mine = square(picture, row, column, reach)
    return torch.stack([
        torch.stack([of(square(picture, r, c, reach), mine) for c in range(reach, columns - reach)])
        for r in range(reach, rows - reach)
    ])  # fmt: skip


def blended(scores, values, at, shares=None):
    """Softmax over all places but one, and the blend."""
    hidden = torch.zeros_like(scores, dtype=torch.bool)
    if at is not None:
        hidden[at] = True
    weights = torch.where(hidden, -INF, scores).flatten().softmax(0).view_as(scores) if shares is None else shares
    return (weights * values).sum(), weights


def pixel_in_loops(picture, row, column, reach, temperature):
    scores = -apart(picture, row, column, reach) / temperature
    return blended(scores, inner(picture, reach), (row - reach, column - reach))


def pixel_with_unfold(picture, row, column, reach, temperature):
    side = 2 * reach + 1
    squares = F.unfold(picture[None, None], side)[0].T  # (place, square)
    across = picture.shape[1] - 2 * reach
    me = (row - reach) * across + column - reach
    powers = torch.exp(-(torch.cdist(squares[me : me + 1], squares)[0] ** 2) / temperature)
    powers = torch.cat([powers[:me], torch.zeros(1), powers[me + 1 :]])
    weights = powers / powers.sum()
    return weights @ squares[:, side * side // 2], weights.view(-1, across)


def pixel_by_pytorch(picture, row, column, reach, temperature):
    """−|q − k|² is 2 q·k − |k|² but for what all keys share: the fused kernel with a bias."""
    squares = picture.unfold(0, 2 * reach + 1, 1).unfold(1, 2 * reach + 1, 1)
    shape, keys = squares.shape[:2], squares.flatten(0, 1).flatten(1)
    me = (row - reach) * shape[1] + column - reach
    bias = -(keys**2).sum(-1) / temperature
    bias = torch.where(torch.arange(len(bias)) == me, -1e9, bias)[None]
    unit = torch.eye(len(keys))
    weights = F.scaled_dot_product_attention(
        keys[None, me : me + 1], keys[None], unit[None], attn_mask=bias, scale=2 / temperature
    )[0, 0]
    return weights @ inner(picture, reach).flatten(), weights.view(shape)


def pixel_with(score=None, values=None, at=True):
    """A wrong answer: another score, other values, or the pixel itself among the keys."""

    def answer(picture, row, column, reach, temperature):
        score_of = score or (lambda a, b, t: -((a - b) ** 2).sum() / t)
        scores = apart(picture, row, column, reach, lambda a, b: score_of(a, b, temperature))
        shown = (values or inner)(picture, reach)
        return blended(scores, shown, (row - reach, column - reach) if at else None)

    return answer


def pixel_along_rows(picture, row, column, reach, temperature):
    scores = -apart(picture, row, column, reach) / temperature
    scores[row - reach, column - reach] = -INF
    powers = scores.exp()
    weights = powers / powers.sum(1, keepdim=True)
    return (weights * inner(picture, reach)).sum(), weights


def means_of_squares(picture, reach):
    return F.avg_pool2d(picture[None, None], 2 * reach + 1, 1)[0, 0]


def corners_of_squares(picture, reach):
    return picture[: picture.shape[0] - 2 * reach, : picture.shape[1] - 2 * reach]


def pixel_beside(picture, row, column, reach, temperature):
    return pixel_in_loops(picture, row + reach, column + reach, reach, temperature)


def pixel_averaged(picture, row, column, reach, temperature):
    value, weights = pixel_with_unfold(picture, row, column, reach, temperature)
    return value / weights.numel(), weights


def pixel_taken_out_late(picture, row, column, reach, temperature):
    _, weights = pixel_with(at=False)(picture, row, column, reach, temperature)
    weights = weights.clone()
    weights[row - reach, column - reach] = 0
    return (weights * inner(picture, reach)).sum(), weights


def pixel_hidden_at(place):
    """A wrong answer: another place than the pixel's own is hidden."""

    def answer(picture, row, column, reach, temperature):
        scores = -apart(picture, row, column, reach) / temperature
        return blended(scores, inner(picture, reach), place(scores.shape, row, column))

    return answer


def last_corners(picture, reach):
    return picture[2 * reach :, 2 * reach :]


def middle(square_):
    return square_[len(square_) // 2, len(square_) // 2]


# 12.3


def asked(candidate, history):
    return torch.einsum("bs,bcs->bc", candidate, history) / candidate.shape[1] ** 0.5


def summed(weights, clicks):
    return torch.einsum("bc,bcs->bs", weights, clicks), weights


def target_with_einsum(candidate, history, mask):
    return summed(torch.where(mask, asked(candidate, history), -INF).sigmoid(), history)


def target_in_a_loop(candidate, history, mask):
    contexts, rows = [], []
    for one, clicks, real in zip(candidate, history, mask, strict=True):
        weights = [1 / (1 + torch.exp(-(one @ click) / math.sqrt(len(one)))) if seen else torch.tensor(0.0)
                   for click, seen in zip(clicks, real, strict=True)]  # fmt: skip
        contexts.append(sum(weight * click for weight, click in zip(weights, clicks, strict=True)))
        rows.append(torch.stack(weights))
    return torch.stack(contexts), torch.stack(rows)


def target_as_two_softmaxes(candidate, history, mask):
    """A sigmoid is a softmax between a score and 0."""
    pairs = torch.stack([asked(candidate, history), torch.zeros(mask.shape)], -1)
    weights = F.softmax(pairs, -1)[..., 0].masked_fill(~mask, 0.0)
    return torch.bmm(weights[:, None], history)[:, 0], weights


def weighed(weights_of, clicks_of=None):
    """A wrong answer: other weights from the scores and the mask, or other clicks."""

    def answer(candidate, history, mask):
        weights = weights_of(asked(candidate, history), mask)
        clicks = history if clicks_of is None else clicks_of(candidate, history)
        return summed(weights, clicks)

    return answer


def plain_weights(scores, mask):
    return torch.where(mask, scores.sigmoid(), 0.0)


def scaled_by(factor):
    """The scores times the root of the size, and divided by something else."""

    def answer(candidate, history, mask):
        scores = (history * candidate[:, None]).sum(-1) / factor(history)
        return summed(plain_weights(scores, mask), history)

    return answer


def target_then(change):
    return lambda candidate, history, mask: change(*target_with_einsum(candidate, history, mask), history, mask)


# 12.4


def squares_of(pictures, size, order="ncdij"):
    return cut_with_einops_order(pictures, size, order)


def tokens_with(squares=None, place=lambda place: place, last=False):
    """An answer to 12.4: how squares are cut, which places are added, and where the learned token stands."""

    def answer(pictures, embed, query, place_):
        size = round(len(embed) ** 0.5)
        cut = squares(pictures, size) if squares else F.unfold(pictures[:, None], size, stride=size).transpose(1, 2)
        added = place(place_)
        front = (query + added[0]).repeat(len(pictures), 1, 1)
        seen = F.linear(cut, embed.T) + added[1:]
        return torch.cat([seen, front] if last else [front, seen], 1)

    return answer


def tokens_in_a_loop(pictures, embed, query, place):
    size, rows = math.isqrt(embed.shape[0]), []
    for picture in pictures:
        found = [query + place[0]]
        for top in range(0, picture.shape[0], size):
            for left in range(0, picture.shape[1], size):
                token = picture[top : top + size, left : left + size].reshape(-1) @ embed
                found.append(token + place[len(found)])
        rows.append(torch.stack(found))
    return torch.stack(rows)


def tokens_by_convolution(pictures, embed, query, place):
    size = math.isqrt(embed.shape[0])
    kernel = embed.T.reshape(-1, 1, size, size)
    seen = F.conv2d(pictures[:, None], kernel, stride=size).flatten(2).transpose(1, 2)
    return torch.cat([query.expand(len(seen), 1, -1), seen], 1) + place[None]


def strips_of(pictures, size):
    return pictures.flatten(1).unflatten(1, (-1, size * size))


def mean_of_places(place):
    return torch.cat([place[:1], place[1:].mean(0, keepdim=True).expand(len(place) - 1, -1)])


def last_with_rows(pictures, embed, query, place):
    tokens = tokens_in_a_loop(pictures, embed, query, torch.zeros_like(place))
    return tokens.roll(-1, 1) + place


def begins_with_row_0(pictures, embed, query, place):
    tokens = tokens_in_a_loop(pictures, embed, query, torch.zeros_like(place))
    tokens[:, 0] += place[0]
    tokens[:, 1:] += place[:-1]
    return tokens


# 12.5


def hits_by_sorting(scores, target, seen, drawn, at):
    new = torch.where(seen, -INF, scores)
    first = new.topk(at, -1).indices
    among_all = (first == target[:, None]).any(1).double().mean()
    shown = torch.cat([drawn, target[:, None]], 1)
    best = scores.gather(1, shown).argsort(1, descending=True)[:, :at]
    among_few = (best == drawn.shape[1]).any(1).double().mean()
    return float(among_all), float(among_few)


def hits_in_a_loop(scores, target, seen, drawn, at):
    both = [0, 0]
    for person in range(len(target)):
        own = scores[person, target[person]]
        better = ((scores[person] > own) & ~seen[person]).sum()
        better_few = (scores[person, drawn[person]] > own).sum()
        both[0] += int(better < at)
        both[1] += int(better_few < at)
    return both[0] / len(target), both[1] / len(target)


def hits_by_rank(scores, target, seen, drawn, at):
    people = torch.arange(len(target))
    new = scores.clone()
    new[seen] = -1e9
    places = new.argsort(1, descending=True).argsort(1)[people, target]  # from 0
    few = torch.cat([scores[people, target][:, None], scores[people[:, None], drawn]], 1)
    return tuple((place < at).float().mean() for place in (places, few.argsort(1, descending=True).argsort(1)[:, 0]))


def hits_with(all_of=lambda s, seen: torch.where(seen, -INF, s), few_of=None, limit=lambda at: (at, at), sign=1):
    """A wrong answer: who is ranked among all, who among a few, and where the line is."""

    def answer(scores, target, seen, drawn, at):
        own = scores[torch.arange(len(target)), target][:, None]
        few = few_of(scores, seen, drawn) if few_of else scores.gather(1, drawn)
        first, second = limit(at)
        count = lambda shown: (sign * shown > sign * own).sum(1)  # noqa: E731
        return (count(all_of(scores, seen)) < first).float().mean(), (count(few) < second).float().mean()

    return answer


def hits_then(change):
    return lambda *given: change(*hits_by_sorting(*given), len(given[1]))


# 12.6


def shades_in_a_loop(maps):
    most = max(float(head.max()) for head in maps)
    return torch.stack([head / most for head in maps])


def shades_with_numpy(maps):
    numbers = maps.numpy()
    return torch.from_numpy(numbers / numbers.max())


def shades_with_reciprocal(maps):
    return maps * maps.flatten().topk(1).values.reciprocal()


def writes_over(maps):
    maps /= maps.clone().max()
    return maps


def from_low_to_high(axes):
    return lambda maps: (
        (maps - maps.amin(axes, keepdim=True)) / (maps.amax(axes, keepdim=True) - maps.amin(axes, keepdim=True))
    )


# 12.7


def halves():
    w_query, w_key = torch.zeros(4, 4), torch.zeros(4, 4)
    w_query[:2], w_key[2:] = torch.randn(2, 4), torch.randn(2, 4)
    return w_query, w_key


def projected():
    basis = torch.linalg.qr(torch.randn(4, 4)).Q.double()
    return [basis[:, :1] @ torch.ones(1, 4).double(), (basis[:, 1:2] @ torch.ones(1, 4).double())]


def only_the_other_way():
    """w_query @ w_key.T is zero, w_query.T @ w_key is not."""
    w_query, w_key = torch.zeros(4, 4), torch.zeros(4, 4)
    w_query[0, 0], w_key[0, 1] = 1.0, 1.0
    return w_query, w_key


# 12.8


def glimpse_by_autograd(logits, reward, drawn):
    leaf = logits.clone().requires_grad_()
    (F.softmax(leaf, 0) @ reward).backward()
    exact = leaf.grad.clone()
    leaf.grad = None
    gained = reward[drawn] - reward[drawn].mean()
    (F.log_softmax(leaf, 0)[drawn] * gained).mean().backward()
    return exact, leaf.grad


def glimpse_in_loops(logits, reward, drawn):
    p = [math.exp(one) for one in logits.tolist()]
    p = [one / sum(p) for one in p]
    r = reward.tolist()
    expected = sum(a * b for a, b in zip(p, r, strict=True))
    exact = [a * (b - expected) for a, b in zip(p, r, strict=True)]
    base = sum(r[i] for i in drawn.tolist()) / len(drawn)
    estimate = [
        sum((r[i] - base) * ((i == k) - p[k]) for i in drawn.tolist()) / len(drawn) for k in range(len(p))
    ]  # fmt: skip
    return torch.tensor(exact), torch.tensor(estimate)


def glimpse_by_jacobian(logits, reward, drawn):
    p = logits.softmax(0)
    jacobian = torch.diag(p) - torch.outer(p, p)
    hot = F.one_hot(drawn, len(p)).float()
    gained = reward[drawn] - reward[drawn].sum() / len(drawn)
    return jacobian @ reward, gained @ hot / len(drawn)  # what −p would add sums to 0 with this baseline


def glimpse_with(baseline=None, exact=None, scale=None, sign=1.0, weigh=None):
    """A wrong answer: another baseline, another exact gradient, a sum, a sign, or samples weighed again."""

    def answer(logits, reward, drawn):
        p = logits.softmax(0)
        right, _ = glimpse_by_autograd(logits, reward, drawn)
        gained = reward[drawn] - (baseline(p, reward) if baseline else reward[drawn].mean())
        gained = gained * (weigh(p)[drawn] if weigh else 1.0)
        estimate = gained @ (F.one_hot(drawn, len(p)).float() - p) / (scale or len(drawn))
        return exact(p, reward) if exact else right, sign * estimate

    return answer


def both_downhill(logits, reward, drawn):
    return tuple(-part for part in glimpse_by_autograd(logits, reward, drawn))


RIGHT = {
    "12.1": [with_einsum, with_loops, with_windows],
    "12.2": [pixel_in_loops, pixel_with_unfold, pixel_by_pytorch],
    "12.3": [target_with_einsum, target_in_a_loop, target_as_two_softmaxes],
    "12.4": [tokens_with(), tokens_in_a_loop, tokens_by_convolution],
    "12.5": [hits_by_sorting, hits_in_a_loop, hits_by_rank],
    "12.6": [shades_in_a_loop, shades_with_numpy, shades_with_reciprocal],
    "12.7": [
        halves(),
        projected(),
        (1e-9 * torch.diag(torch.tensor([1.0, 0, 0, 0])), torch.diag(torch.tensor([0.0, 1, 0, 0]))),
        (torch.diag(torch.tensor([1.0, 0, 0, 2])), torch.diag(torch.tensor([0, 5.0, 1, 0]))),
    ],
    "12.8": [glimpse_by_autograd, glimpse_in_loops, glimpse_by_jacobian],
}

WRONG = {
    "12.1": {
        "strips": [in_orders("", "ncdij")],
        "strips-back": [in_orders("ncdij", "")],
        "strips-both-ways": [in_orders("", "")],
        "columns-first": [in_orders("ndcij", "ncdij")],
        "columns-first-both-ways": [in_orders("ndcij", "ndcij")],
        "turned": [in_orders("ncdji", "ncdij")],
        "turned-both-ways": [in_orders("ncdji", "ncdji")],
        "sides-exchanged": [sides_exchanged(True, False)],
        "sides-exchanged-both-ways": [sides_exchanged(True, True)],
        "sides-exchanged-back": [sides_exchanged(False, True)],
        "own-back": [back_of_its_own],
        "strips-and-own-back": [lambda pictures, tokens, size: (pictures.reshape(tokens.shape), pictures)],
        "wrong-axes-back": [other_axes],
        "swapped": [lambda pictures, tokens, size: with_loops(pictures, tokens, size)[::-1]],
    },
    "12.2": {
        "itself": [pixel_with(at=False)],
        "unlike": [pixel_with(lambda a, b, t: ((a - b) ** 2).sum() / t)],
        "dot-product": [pixel_with(lambda a, b, t: a.flatten() @ b.flatten() / t)],
        "root": [pixel_with(lambda a, b, t: -torch.linalg.norm(a - b) / t)],
        "mean-of-squares": [pixel_with(lambda a, b, t: -F.mse_loss(a, b) / t)],
        "absolute": [pixel_with(lambda a, b, t: -F.l1_loss(a, b, reduction="sum") / t)],
        "no-temperature": [pixel_with(lambda a, b, t: -F.mse_loss(a, b, reduction="sum"))],
        "times-temperature": [pixel_with(lambda a, b, t: -((a - b) ** 2).sum() * t)],
        "squared-temperature": [pixel_with(lambda a, b, t: -(((a - b) / t) ** 2).sum())],
        "root-of-temperature": [pixel_with(lambda a, b, t: -((a - b) ** 2).sum() / t**0.5)],
        "twice-the-temperature": [pixel_with(lambda a, b, t: -0.5 * F.mse_loss(a, b, reduction="sum") / t)],
        "twice-its-square": [pixel_with(lambda a, b, t: -0.5 * (((a - b) / t) ** 2).sum())],
        "middles-only": [pixel_with(lambda a, b, t: -((middle(a) - middle(b)) ** 2) / t)],
        "hidden-elsewhere": [
            pixel_hidden_at(lambda shape, row, column: (min(row, shape[0] - 1), min(column, shape[1] - 1)))
        ],
        "row-by-row": [pixel_along_rows],
        "value-is-a-square": [pixel_with(values=means_of_squares)],
        "corner": [pixel_with(values=corners_of_squares)],
        "other-corner": [pixel_with(values=last_corners)],
        "not-shifted": [pixel_beside],
        "mean": [pixel_averaged],
        "itself-after": [pixel_taken_out_late],
    },
    "12.3": {
        "softmax": [weighed(lambda s, mask: torch.where(mask, s, -1e9).softmax(-1) * mask)],
        "softmax-nan": [weighed(lambda s, mask: F.softmax(torch.where(mask, s, -INF), dim=1))],
        "softmax-large": [weighed(lambda s, mask: torch.where(mask, s, -1e9).softmax(-1))],
        "softmax-late": [weighed(lambda s, mask: torch.where(mask, F.softmax(s, -1), 0.0))],
        "no-mask": [weighed(lambda s, mask: s.sigmoid())],
        "masked-scores": [weighed(lambda s, mask: torch.where(mask, s, 0.0).sigmoid())],
        "inverted": [weighed(lambda s, mask: torch.where(mask, 0.0, s.sigmoid()))],
        "no-root": [scaled_by(lambda history: 1.0)],
        "by-the-size": [scaled_by(lambda history: history.shape[-1])],
        "root-of-clicks": [scaled_by(lambda history: history.shape[1] ** 0.5)],
        "no-sigmoid": [weighed(lambda s, mask: torch.where(mask, s, 0.0))],
        "mean": [target_then(lambda context, weights, history, mask: (context / mask.shape[1], weights))],
        "share": [
            target_then(
                lambda context, weights, history, mask: (context / weights.sum(1)[:, None].clamp(min=1e-9), weights)
            )
        ],
        "normalised": [weighed(lambda s, mask: F.normalize(plain_weights(s, mask), p=1.0, dim=-1))],
        "normalised-nan": [weighed(lambda s, mask: plain_weights(s, mask) / plain_weights(s, mask).sum(1)[:, None])],
        "unweighted": [
            target_then(lambda context, weights, history, mask: (summed(mask.float(), history)[0], weights))
        ],
        "context-unmasked": [
            lambda c, h, mask: (summed(asked(c, h).sigmoid(), h)[0], target_with_einsum(c, h, mask)[1]),
        ],
        "value-is-candidate": [
            weighed(plain_weights, lambda candidate, history: candidate[:, None].expand_as(history))
        ],
        "swapped": [lambda *given: target_in_a_loop(*given)[::-1]],
    },
    "12.4": {
        "strips": [tokens_with(strips_of)],
        "query-last": [tokens_with(last=True)],
        "query-last-row": [last_with_rows],
        "mean-place": [tokens_with(place=mean_of_places)],
        "strips-and-last": [tokens_with(strips_of, last=True)],
        "strips-and-mean": [tokens_with(strips_of, mean_of_places)],
        "mean-and-last": [tokens_with(place=mean_of_places, last=True)],
        "all-three": [tokens_with(strips_of, mean_of_places, True)],
        "columns-first": [tokens_with(lambda pictures, size: squares_of(pictures, size, "ndcij"))],
        "turned": [tokens_with(lambda pictures, size: squares_of(pictures, size, "ncdji"))],
        "no-place": [tokens_with(place=torch.zeros_like)],
        "squares-without-place": [tokens_with(place=lambda place: F.pad(place[:1], (0, 0, 0, len(place) - 1)))],
        "mean-of-all-rows": [tokens_with(place=lambda place: place.mean(0).repeat(len(place), 1))],
        "mean-of-all-but-the-first": [
            tokens_with(place=lambda place: torch.cat([place[:1], place.mean(0).repeat(len(place) - 1, 1)]))
        ],
        "strips-without-places": [tokens_with(strips_of, torch.zeros_like)],
        "last-without-places": [tokens_with(place=torch.zeros_like, last=True)],
        "query-without-place": [tokens_with(place=lambda place: F.pad(place[1:], (0, 0, 1, 0)))],
        "shifted-place": [tokens_with(place=lambda place: torch.cat([place[-1:], place[:-1]]))],
        "place-before": [begins_with_row_0],
    },
    "12.5": {
        "seen-ranked": [hits_with(lambda s, seen: s)],
        "only-seen": [hits_with(lambda s, seen: torch.where(seen, s, -INF))],
        "one-too-many": [hits_with(limit=lambda at: (at + 1, at + 1))],
        "one-too-few": [hits_with(limit=lambda at: (at - 1, at - 1))],
        "one-too-many-among-all": [hits_with(limit=lambda at: (at + 1, at))],
        "one-too-many-among-few": [hits_with(limit=lambda at: (at, at + 1))],
        "one-too-few-among-all": [hits_with(limit=lambda at: (at - 1, at))],
        "seen-get-0": [hits_with(lambda s, seen: torch.where(seen, 0.0, s))],
        "one-too-few-among-few": [hits_with(limit=lambda at: (at, at - 1))],
        "upside-down": [hits_with(lambda s, seen: torch.where(seen, INF, s), sign=-1)],
        "counts": [hits_then(lambda full, few, people: (round(full * people), round(few * people)))],
        "percent": [hits_then(lambda full, few, people: (100 * full, 100 * few))],
        "swapped": [hits_then(lambda full, few, people: (few, full))],
        "among-all-twice": [hits_with(few_of=lambda s, seen, drawn: torch.where(seen, -INF, s))],
        "misses": [hits_then(lambda full, few, people: (1 - full, 1 - few))],
        "first-only": [hits_with(limit=lambda at: (1, 1))],
        "columns": [hits_with(few_of=lambda s, seen, drawn: s[:, : drawn.shape[1]])],
    },
    "12.6": {
        "unscaled": [lambda maps: maps.clamp(0, 1)],
        "each-query": [lambda maps: F.normalize(maps, p=INF, dim=-1)],
        "each-head": [lambda maps: torch.stack([head / head.max() for head in maps])],
        "each-query-from-0": [from_low_to_high((-1,))],
        "each-head-from-0": [from_low_to_high((-2, -1))],
        "from-0": [from_low_to_high((0, 1, 2))],
        "each-key": [lambda maps: F.normalize(maps, p=INF, dim=-2)],
        "across-heads": [lambda maps: F.normalize(maps, p=INF, dim=0)],
        "each-key-of-all": [lambda maps: maps / maps.flatten(0, 1).max(0).values],
        "each-query-of-all-heads": [lambda maps: maps / maps.max(0).values.max(1, keepdim=True).values],
        "each-key-from-0": [from_low_to_high((1,))],
        "by-the-mean": [lambda maps: maps * maps.numel() / maps.sum()],
        "by-the-sum": [lambda maps: maps / maps.sum()],
        "root": [lambda maps: shades_in_a_loop(maps) ** 0.5],
        "in-place": [writes_over],
    },
    "12.7": {
        "shape": [(torch.ones(2, 4), torch.ones(2, 4))],
        "finite": [(torch.full((4, 4), INF), torch.ones(4, 4))],
        "query-zero": [(torch.zeros(4, 4), torch.eye(4))],
        "key-zero": [(torch.eye(4), torch.zeros(4, 4))],
        "dot-products": [(torch.eye(4), torch.eye(4))],
        "rows-instead": [only_the_other_way()],
        "small": [
            (0.1 * torch.eye(4), 0.1 * torch.eye(4)),
            (1e-3 * torch.eye(4), 1e-3 * torch.eye(4)),
            (1e-4 * torch.eye(4), 1e-4 * torch.eye(4)),
        ],
        "constant": [(torch.ones(4, 4), torch.ones(4, 4)), (torch.eye(4), torch.ones(4, 4))],
    },
    "12.8": {
        "no-baseline": [glimpse_with(lambda p, reward: 0.0)],
        "exact-baseline": [glimpse_with(lambda p, reward: (p * reward).sum())],
        "mean-of-all": [glimpse_with(lambda p, reward: reward.sum() / len(reward))],
        "summed": [glimpse_with(scale=1)],
        "downhill": [both_downhill],
        "directions-turned": [glimpse_with(sign=-1.0)],
        "exact-without-mean": [glimpse_with(exact=lambda p, reward: p * reward)],
        "exact-without-chances": [glimpse_with(exact=lambda p, reward: reward - (p * reward).sum())],
        "of-the-chances": [glimpse_with(exact=lambda p, reward: 1.0 * reward)],
        "weighted-again": [glimpse_with(weigh=lambda p: p)],
        "swapped": [lambda *given: glimpse_in_loops(*given)[::-1]],
    },
}
