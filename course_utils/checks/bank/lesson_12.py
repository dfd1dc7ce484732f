"""The exercises of lesson 12: patches, a pixel that asks, a history that is asked, strips, two rankings, a glimpse."""

import math

import torch
import torch.nn.functional as F

from course_utils.checks.bank.parts import as_double, draw
from course_utils.checks.forms import edited, prove, write

# 12.1 Patches, and back.


def _pictures_and_tokens(generator):
    drawn = []
    for batch, down, across, size in [(3, 2, 4, 3), (2, 5, 3, 2)]:
        shapes = (batch, down * size, across * size), (batch, down * across, size * size)
        drawn.append((*draw(generator, *shapes), size))
    return drawn


def _unfolded(pictures, tokens, size):
    there = F.unfold(pictures.unsqueeze(1), size, stride=size).transpose(1, 2)
    back = F.fold(tokens.transpose(1, 2), pictures.shape[1:], size, stride=size).squeeze(1)
    return there, back


def _there_and_back(pictures, tokens, size):
    batch, rows, columns = pictures.shape
    down, across = rows // size, columns // size
    cut = pictures.reshape(batch, down, size, across, size).transpose(2, 3)
    there = cut.reshape(batch, down * across, size * size)
    back = tokens.reshape(batch, down, across, size, size).transpose(2, 3)
    return there, back.reshape(batch, rows, columns)


STRIPS = ("pictures.reshape(batch, down, size, across, size).transpose(2, 3)", "pictures")
STRIPS_BACK = ("tokens.reshape(batch, down, across, size, size).transpose(2, 3)", "tokens")
TURNED = ("transpose(2, 3)\n    there", "permute(0, 1, 3, 4, 2)\n    there")
DOWN_FIRST = ("transpose(2, 3)\n    there", "permute(0, 3, 1, 2, 4)\n    there")
PATCHES = write(
    "12.1",
    oracle=_unfolded,
    inputs=_pictures_and_tokens,
    results=("tokens", "pictures"),
    mistakes=edited(
        _there_and_back,
        {
            "strips": STRIPS,
            "strips-back": STRIPS_BACK,
            "strips-both-ways": [STRIPS, STRIPS_BACK],
            "columns-first": DOWN_FIRST,
            "columns-first-both-ways": [
                DOWN_FIRST,
                (
                    "tokens.reshape(batch, down, across, size, size).transpose(2, 3)",
                    "tokens.reshape(batch, across, down, size, size).permute(0, 2, 3, 1, 4)",
                ),
            ],
            "turned": TURNED,
            "turned-both-ways": [
                TURNED,
                ("size, size).transpose(2, 3)\n    return", "size, size).permute(0, 1, 4, 2, 3)\n    return"),
            ],
            "sides-exchanged": (
                "pictures.reshape(batch, down, size, across, size)",
                "pictures.reshape(batch, across, size, down, size)",
            ),
            "sides-exchanged-both-ways": [
                (
                    "pictures.reshape(batch, down, size, across, size)",
                    "pictures.reshape(batch, across, size, down, size)",
                ),
                ("tokens.reshape(batch, down, across, size, size)", "tokens.reshape(batch, across, down, size, size)"),
            ],
            "sides-exchanged-back": (
                "tokens.reshape(batch, down, across, size, size)",
                "tokens.reshape(batch, across, down, size, size)",
            ),
            "own-back": ("tokens.reshape(batch, down, across", "there.reshape(batch, down, across"),
            "strips-and-own-back": [
                STRIPS,
                ("tokens.reshape(batch, down, across, size, size).transpose(2, 3)", "there"),
            ],
            "wrong-axes-back": ("size, size).transpose(2, 3)\n    return", "size, size).transpose(1, 2)\n    return"),
            "swapped": (
                "return there, back.reshape(batch, rows, columns)",
                "return back.reshape(batch, rows, columns), there",
            ),
        },
    ),
)


# 12.2 The non-local mean of one pixel.


def _pixels(generator):
    drawn = []
    for rows, columns, row, column, reach, temperature in [(9, 8, 3, 5, 1, 0.6), (10, 13, 5, 4, 2, 3.0)]:
        drawn.append((torch.rand(rows, columns, generator=generator), row, column, reach, temperature))
    return drawn


def _pixel_by_pixel(picture, row, column, reach, temperature):
    def square(r, c):
        return picture[r - reach : r + reach + 1, c - reach : c + reach + 1]

    rows, columns = picture.shape
    powers = torch.zeros(rows - 2 * reach, columns - 2 * reach, dtype=torch.float64)
    value = 0.0
    for r in range(reach, rows - reach):
        for c in range(reach, columns - reach):
            if (r, c) != (row, column):
                apart = float(((square(r, c) - square(row, column)).double() ** 2).sum())
                powers[r - reach, c - reach] = math.exp(-apart / temperature)
                value += float(powers[r - reach, c - reach] * picture[r, c])
    return torch.tensor(value / float(powers.sum())), (powers / powers.sum()).float()


def _pixel(picture, row, column, reach, temperature):
    side = 2 * reach + 1
    squares = picture.unfold(0, side, 1).unfold(1, side, 1)
    mine = squares[row - reach, column - reach]
    scores = -((squares - mine) ** 2).sum((-2, -1)) / temperature
    scores[row - reach, column - reach] = -math.inf
    weights = torch.softmax(scores.flatten(), dim=0).reshape(scores.shape)
    return (weights * squares[..., reach, reach]).sum(), weights


ITSELF = ("scores[row - reach, column - reach] = -math.inf", "pass")
DISTANCE = "-((squares - mine) ** 2).sum((-2, -1)) / temperature"
PIXEL = write(
    "12.2",
    oracle=_pixel_by_pixel,
    inputs=_pixels,
    results=("value", "weights"),
    mistakes=edited(
        _pixel,
        {
            "itself": ITSELF,
            "unlike": (DISTANCE, DISTANCE[1:]),
            "dot-product": (DISTANCE, "(squares * mine).sum((-2, -1)) / temperature"),
            "root": (DISTANCE, "-((squares - mine) ** 2).sum((-2, -1)).sqrt() / temperature"),
            "mean-of-squares": (DISTANCE, "-((squares - mine) ** 2).mean((-2, -1)) / temperature"),
            "absolute": (DISTANCE, "-(squares - mine).abs().sum((-2, -1)) / temperature"),
            "no-temperature": (" / temperature", ""),
            "times-temperature": ("/ temperature", "* temperature"),
            "squared-temperature": ("/ temperature", "/ temperature**2"),
            "root-of-temperature": ("/ temperature", "/ math.sqrt(temperature)"),
            "twice-the-temperature": ("/ temperature", "/ (2 * temperature)"),
            "twice-its-square": ("/ temperature", "/ (2 * temperature**2)"),
            "middles-only": (
                DISTANCE,
                "-((squares - mine)[..., reach, reach] ** 2) / temperature",
            ),
            "hidden-elsewhere": (
                "scores[row - reach, column - reach]",
                "scores[min(row, scores.shape[0] - 1), min(column, scores.shape[1] - 1)]",
            ),
            "row-by-row": (
                "torch.softmax(scores.flatten(), dim=0).reshape(scores.shape)",
                "torch.softmax(scores, dim=-1)",
            ),
            "value-is-a-square": ("squares[..., reach, reach]", "squares.mean((-2, -1))"),
            "corner": ("squares[..., reach, reach]", "squares[..., 0, 0]"),
            "other-corner": ("squares[..., reach, reach]", "squares[..., -1, -1]"),
            "not-shifted": [
                ("mine = squares[row - reach, column - reach]", "mine = squares[row, column]"),
                ("scores[row - reach, column - reach]", "scores[row, column]"),
            ],
            "mean": ("squares[..., reach, reach]).sum()", "squares[..., reach, reach]).mean()"),
            "itself-after": [
                ITSELF,
                (
                    "reshape(scores.shape)",
                    "reshape(scores.shape).where(scores != scores[row - reach, column - reach], torch.tensor(0.0))",
                ),
            ],
        },
    ),
    properties={
        "weights-sum-to-1": lambda arguments, result: bool((result[1].sum() - 1).abs() < 1e-4),
        "itself-weighs-nothing": lambda arguments, result: (
            float(result[1][arguments[1] - arguments[3], arguments[2] - arguments[3]]) == 0
        ),
    },
)


# 12.3 Target attention with a padded history.


def _histories(generator):
    drawn = []
    for batch, clicks, size in [(3, 5, 4), (4, 6, 7)]:
        lengths = torch.tensor([clicks, *(clicks - 2 - place for place in range(batch - 1))])
        if batch == 4:
            lengths[-1] = 0
        mask = torch.arange(clicks) < lengths[:, None]
        candidate, history = draw(generator, (batch, size), (batch, clicks, size))
        drawn.append((1.5 * candidate + 0.5, history + 0.3, mask))
    return drawn


def _click_by_click(candidate, history, mask):
    weights = torch.zeros(mask.shape)
    context = torch.zeros(candidate.shape)
    for row, clicks in enumerate(history):
        for place, click in enumerate(clicks):
            if mask[row, place]:
                score = float((candidate[row] * click).sum()) / len(click) ** 0.5
                weights[row, place] = 1 / (1 + math.exp(-score))
                context[row] += weights[row, place] * click
    return context, weights


def _target(candidate, history, mask):
    scores = (history @ candidate.unsqueeze(-1)).squeeze(-1) / math.sqrt(candidate.shape[-1])
    weights = torch.sigmoid(scores) * mask
    return (weights.unsqueeze(-1) * history).sum(dim=1), weights


def _hidden(scores, mask):
    return torch.softmax(scores.masked_fill(~mask, -math.inf), -1).nan_to_num(0.0)


TARGET = write(
    "12.3",
    oracle=_click_by_click,
    inputs=_histories,
    results=("context", "weights"),
    mistakes=edited(
        _target,
        {
            "softmax": ("torch.sigmoid(scores) * mask", "_hidden(scores, mask)"),
            "softmax-nan": ("torch.sigmoid(scores) * mask", "torch.softmax(scores.masked_fill(~mask, -math.inf), -1)"),
            "softmax-large": ("torch.sigmoid(scores) * mask", "torch.softmax(scores.masked_fill(~mask, -1e9), -1)"),
            "softmax-late": ("torch.sigmoid(scores)", "torch.softmax(scores, -1)"),
            "no-mask": (" * mask", ""),
            "masked-scores": ("torch.sigmoid(scores) * mask", "torch.sigmoid(scores * mask)"),
            "inverted": ("* mask", "* ~mask"),
            "no-root": (" / math.sqrt(candidate.shape[-1])", ""),
            "by-the-size": ("math.sqrt(candidate.shape[-1])", "candidate.shape[-1]"),
            "root-of-clicks": ("math.sqrt(candidate.shape[-1])", "math.sqrt(history.shape[1])"),
            "no-sigmoid": ("torch.sigmoid(scores)", "scores"),
            "mean": (".sum(dim=1)", ".mean(dim=1)"),
            "share": (
                ".sum(dim=1), weights",
                ".sum(dim=1) / weights.sum(1, keepdim=True).clamp(min=1e-9), weights",
            ),
            "normalised": ("* mask", "* mask / (torch.sigmoid(scores) * mask).sum(1, keepdim=True).clamp(min=1e-9)"),
            "normalised-nan": ("* mask", "* mask / (torch.sigmoid(scores) * mask).sum(1, keepdim=True)"),
            "unweighted": ("(weights.unsqueeze(-1) * history)", "(mask.unsqueeze(-1) * history)"),
            "context-unmasked": (
                "(weights.unsqueeze(-1) * history)",
                "(torch.sigmoid(scores).unsqueeze(-1) * history)",
            ),
            "value-is-candidate": ("* history).sum", "* candidate.unsqueeze(1)).sum"),
            "swapped": (
                "return (weights.unsqueeze(-1) * history).sum(dim=1), weights",
                "return weights, (weights.unsqueeze(-1) * history).sum(dim=1)",
            ),
        },
    ),
    properties={"padding-weighs-nothing": lambda arguments, result: not bool(result[1][~arguments[2]].any())},
)


# 12.4 Strips for patches.


def _digits(generator):
    drawn = []
    for batch, count, size, width in [(3, 4, 2, 5), (2, 2, 3, 7)]:
        shapes = (batch, count * size, count * size), (size * size, width), (width,), (1 + count**2, width)
        drawn.append(draw(generator, *shapes))
    return drawn


def _square_by_square(pictures, embed, query, place):
    size = math.isqrt(len(embed))
    rows = []
    for picture in pictures:
        tokens = [query]
        for top in range(0, len(picture), size):
            for left in range(0, len(picture), size):
                tokens.append(picture[top : top + size, left : left + size].flatten() @ embed)
        rows.append(torch.stack(tokens) + place)
    return torch.stack(rows)


def _mended(pictures, embed, query, place):
    batch, side = pictures.shape[:2]
    size = math.isqrt(len(embed))
    count = side // size
    squares = pictures.reshape(batch, count, size, count, size).transpose(2, 3).reshape(batch, count**2, size**2)
    tokens = torch.cat([query.expand(batch, 1, -1), squares @ embed], dim=1)
    return tokens + place


CUT = ("reshape(batch, count, size, count, size).transpose(2, 3).reshape(batch", "reshape(batch")
LAST = [
    ("tokens = torch.cat([query.expand(batch, 1, -1), squares @ embed], dim=1)", "seen = squares @ embed + place[1:]"),
    ("return tokens + place", "return torch.cat([seen, query.expand(batch, 1, -1) + place[0]], dim=1)"),
]
LAST_ROW = ("[query.expand(batch, 1, -1), squares @ embed]", "[squares @ embed, query.expand(batch, 1, -1)]")
MEAN = ("+ place", "+ torch.cat([place[:1], place[1:].mean(0).expand(count**2, -1)])")
MEAN_AND_LAST = [LAST[0], ("squares @ embed + place[1:]", "squares @ embed + place[1:].mean(0)"), LAST[1]]
TOKENS = write(
    "12.4",
    oracle=_square_by_square,
    inputs=_digits,
    mistakes=edited(
        _mended,
        {
            "strips": CUT,
            "query-last": LAST,
            "query-last-row": LAST_ROW,
            "mean-place": MEAN,
            "strips-and-last": [CUT, *LAST],
            "strips-and-mean": [CUT, MEAN],
            "mean-and-last": MEAN_AND_LAST,
            "all-three": [CUT, *MEAN_AND_LAST],
            "columns-first": ("size).transpose(2, 3)", "size).permute(0, 3, 1, 2, 4)"),
            "turned": ("size).transpose(2, 3)", "size).permute(0, 1, 3, 4, 2)"),
            "no-place": ("tokens + place", "tokens"),
            "squares-without-place": ("+ place", "+ F.pad(place[:1], (0, 0, 0, count**2))"),
            "mean-of-all-rows": ("+ place", "+ place.mean(0)"),
            "mean-of-all-but-the-first": ("+ place", "+ torch.cat([place[:1], place.mean(0).expand(count**2, -1)])"),
            "strips-without-places": [CUT, ("tokens + place", "tokens")],
            "last-without-places": [LAST_ROW, ("tokens + place", "tokens")],
            "query-without-place": (
                "+ place",
                "+ torch.cat([torch.zeros_like(place[:1]), place[1:]])",
            ),
            "shifted-place": ("+ place", "+ place.roll(1, 0)"),
            "place-before": (
                "squares @ embed], dim=1)\n    return tokens + place",
                "squares @ embed + place[:-1]], dim=1)\n    return tokens + F.pad(place[:1], (0, 0, 0, count**2))",
            ),
        },
    ),
)


# 12.5 Ranked among all, ranked among a few.


def _people(generator):
    """Scores mostly below 0; some targets stand exactly at place `at`, or at the next, in one of the rankings."""
    drawn = []
    for people, films, count, at in [(110, 60, 9, 4), (130, 45, 12, 3), (120, 50, 10, 5)]:
        scores = torch.rand(people, films, generator=generator).argsort(1).float() + 0.5 - films
        target = torch.randint(films, (people,), generator=generator)
        everyone = torch.arange(people)
        scores[everyone, target] += 0.6 * films * torch.rand(people, generator=generator) // 1 + 0.25  # none are equal
        seen = torch.rand(people, films, generator=generator) < 0.4
        seen[everyone, target] = False
        chances = torch.rand(people, films, generator=generator).masked_fill(seen, -1.0)
        chances[everyone, target] = -1.0
        few = chances.topk(count).indices
        for person in range(8):
            others = scores[person, few[person] if person % 2 else chances[person] >= 0]
            scores[person, target[person]] = others.sort(descending=True).values[at - person // 2 % 2] + 0.25
        drawn.append((scores, target, seen, few, at))
    return drawn


def _person_by_person(scores, target, seen, drawn, at):
    hits = [0, 0]
    for row, wanted, old, few in zip(scores.tolist(), target.tolist(), seen.tolist(), drawn.tolist(), strict=True):
        new = [film for film in range(len(row)) if not old[film]]
        for place, shown in enumerate((new, [wanted, *few])):
            best = sorted(shown, key=lambda film: -row[film])[:at]
            hits[place] += wanted in best
    return hits[0] / len(target), hits[1] / len(target)


def _hits(scores, target, seen, drawn, at):
    own = scores.gather(1, target[:, None])
    among_all = (scores.masked_fill(seen, -math.inf) > own).sum(1) < at
    among_few = (scores.gather(1, drawn) > own).sum(1) < at
    return among_all.float().mean().item(), among_few.float().mean().item()


RANKS = write(
    "12.5",
    oracle=_person_by_person,
    inputs=_people,
    results=("among all", "among a few"),
    mistakes=edited(
        _hits,
        {
            "seen-ranked": ("scores.masked_fill(seen, -math.inf)", "scores"),
            "only-seen": ("masked_fill(seen", "masked_fill(~seen"),
            "one-too-many": [
                ("sum(1) < at\n    among_few", "sum(1) <= at\n    among_few"),
                ("sum(1) < at\n    return", "sum(1) <= at\n    return"),
            ],
            "one-too-few": [
                ("sum(1) < at\n    among_few", "sum(1) < at - 1\n    among_few"),
                ("sum(1) < at\n    return", "sum(1) < at - 1\n    return"),
            ],
            "one-too-many-among-all": ("sum(1) < at\n    among_few", "sum(1) <= at\n    among_few"),
            "one-too-many-among-few": ("sum(1) < at\n    return", "sum(1) <= at\n    return"),
            "one-too-few-among-all": ("sum(1) < at\n    among_few", "sum(1) < at - 1\n    among_few"),
            "seen-get-0": ("scores.masked_fill(seen, -math.inf)", "scores * ~seen"),
            "one-too-few-among-few": ("sum(1) < at\n    return", "sum(1) < at - 1\n    return"),
            "upside-down": [("-math.inf) > own", "math.inf) < own"), ("drawn) > own", "drawn) < own")],
            "counts": [
                ("all.float().mean().item()", "all.sum().item()"),
                ("few.float().mean().item()", "few.sum().item()"),
            ],
            "percent": [
                ("all.float().mean()", "all.float().mul(100).mean()"),
                ("few.float().mean()", "few.float().mul(100).mean()"),
            ],
            "swapped": (
                "return among_all.float().mean().item(), among_few.float().mean().item()",
                "return among_few.float().mean().item(), among_all.float().mean().item()",
            ),
            "among-all-twice": ("scores.gather(1, drawn) > own", "scores.masked_fill(seen, -math.inf) > own"),
            "misses": (
                "among_all.float().mean().item(), among_few.float().mean().item()",
                "1 - among_all.float().mean().item(), 1 - among_few.float().mean().item()",
            ),
            "first-only": [
                ("sum(1) < at\n    among_few", "sum(1) < 1\n    among_few"),
                ("sum(1) < at\n    return", "sum(1) < 1\n    return"),
            ],
            "columns": [("scores.gather(1, drawn)", "scores[:, : drawn.shape[1]]")],
        },
    ),  # fmt: skip
)


# 12.6 A colour scale that hides.


def _maps(generator):
    drawn = []
    for heads, queries, keys in [(3, 4, 5), (2, 6, 3)]:
        sharpness = torch.linspace(0.3, 2.5, heads)[:, None, None]
        drawn.append((torch.softmax(sharpness * draw(generator, (heads, queries, keys))[0], -1),))
    return drawn


def _darkest_is_one(maps):
    most = max(maps.flatten().tolist())
    return torch.tensor([[[weight / most for weight in row] for row in head] for head in maps.tolist()])


def _shades(maps):
    return maps / maps.max()


SHADES = write(
    "12.6",
    oracle=_darkest_is_one,
    inputs=_maps,
    mistakes=edited(
        _shades,
        {
            "unscaled": ("maps / maps.max()", "maps.clone()"),
            "each-query": ("maps.max()", "maps.amax(-1, keepdim=True)"),
            "each-head": ("maps.max()", "maps.amax((-2, -1), keepdim=True)"),
            "each-query-from-0": (
                "maps / maps.max()",
                "(maps - maps.amin(-1, keepdim=True)) / (maps.amax(-1, keepdim=True) - maps.amin(-1, keepdim=True))",
            ),
            "each-head-from-0": (
                "maps / maps.max()",
                "(shifted := maps - maps.amin((1, 2), keepdim=True)) / shifted.amax((1, 2), keepdim=True)",
            ),
            "from-0": ("maps / maps.max()", "(maps - maps.min()) / (maps.max() - maps.min())"),
            "each-key": ("maps.max()", "maps.amax(1, keepdim=True)"),
            "across-heads": ("maps.max()", "maps.amax(0, keepdim=True)"),
            "each-key-of-all": ("maps.max()", "maps.amax((0, 1), keepdim=True)"),
            "each-query-of-all-heads": ("maps.max()", "maps.amax((0, 2), keepdim=True)"),
            "each-key-from-0": (
                "maps / maps.max()",
                "(maps - maps.amin(1, keepdim=True)) / (maps.amax(1, keepdim=True) - maps.amin(1, keepdim=True))",
            ),
            "by-the-mean": ("maps.max()", "maps.mean()"),
            "by-the-sum": ("maps.max()", "maps.sum()"),
            "root": ("maps / maps.max()", "(maps / maps.max()).sqrt()"),
            "in-place": ("maps / maps.max()", "maps.div_(maps.max())"),
        },
    ),
)


# 12.7 The mean is target attention that does not look.


def _pair(answer):
    query, key = answer
    return as_double(query), as_double(key)


def _middle(answer):
    query, key = _pair(answer)
    return query.T @ key


def _vanishes(answer, product):
    """Whether a product of the two matrices is zero but for rounding, beside the size of their numbers."""
    query, key = _pair(answer)
    return bool(product.abs().max() <= 1e-6 * query.abs().max() * key.abs().max())


CONSTANT = prove(
    "12.7",
    requirements={
        "shape": lambda answer: all(part.shape == (4, 4) for part in _pair(answer)),
        "finite": lambda answer: all(bool(part.isfinite().all()) for part in _pair(answer)),
        "query-zero": lambda answer: bool((_pair(answer)[0] != 0).any()),
        "key-zero": lambda answer: bool((_pair(answer)[1] != 0).any()),
        "dot-products": lambda answer: (
            not torch.allclose(_middle(answer), torch.eye(4, dtype=torch.float64), atol=1e-6)
        ),
        "rows-instead": lambda answer: (
            _vanishes(answer, _middle(answer)) or not _vanishes(answer, _pair(answer)[0] @ _pair(answer)[1].T)
        ),
        "small": lambda answer: _vanishes(answer, _middle(answer)) or bool(_middle(answer).abs().max() >= 0.05),
        "constant": lambda answer: _vanishes(answer, _middle(answer)),
    },
)


# 12.8 A glimpse.


def _glimpses(generator):
    drawn = []
    for patches, samples in [(6, 11), (9, 20)]:
        logits, reward = draw(generator, (patches,), (patches,))
        taken = torch.randint(patches, (samples,), generator=generator)
        drawn.append((logits, reward + 1.0, taken))
    return drawn


def _by_autograd(logits, reward, drawn):
    leaf = logits.detach().clone().requires_grad_()
    (exact,) = torch.autograd.grad((leaf.softmax(0) * reward).sum(), leaf)
    gained = reward[drawn] - reward[drawn].mean()
    (estimate,) = torch.autograd.grad((gained * leaf.log_softmax(0)[drawn]).mean(), leaf)
    return exact, estimate


def _glimpse(logits, reward, drawn):
    chances = torch.softmax(logits, dim=0)
    exact = chances * (reward - chances @ reward)
    gained = reward[drawn] - reward[drawn].mean()
    directions = torch.eye(len(logits))[drawn] - chances
    return exact, (gained.unsqueeze(-1) * directions).mean(dim=0)


GLIMPSE = write(
    "12.8",
    oracle=_by_autograd,
    inputs=_glimpses,
    results=("exact gradient", "estimated gradient"),
    mistakes=edited(
        _glimpse,
        {
            "no-baseline": (" - reward[drawn].mean()", ""),
            "exact-baseline": ("- reward[drawn].mean()", "- chances @ reward"),
            "mean-of-all": ("- reward[drawn].mean()", "- reward.mean()"),
            "summed": (".mean(dim=0)", ".sum(dim=0)"),
            "downhill": [("chances * (reward", "-chances * (reward"), ("(gained.", "(-gained.")],
            "directions-turned": ("torch.eye(len(logits))[drawn] - chances", "chances - torch.eye(len(logits))[drawn]"),
            "exact-without-mean": ("(reward - chances @ reward)", "reward"),
            "exact-without-chances": ("chances * (reward - chances @ reward)", "reward - chances @ reward"),
            "of-the-chances": ("chances * (reward - chances @ reward)", "reward.clone()"),
            "weighted-again": ("(gained.unsqueeze(-1) *", "(chances[drawn].unsqueeze(-1) * gained.unsqueeze(-1) *"),
            "swapped": (
                "return exact, (gained.unsqueeze(-1) * directions).mean(dim=0)",
                "return (gained.unsqueeze(-1) * directions).mean(dim=0), exact",
            ),
        },
    ),
)

EXERCISES = [PATCHES, PIXEL, TARGET, TOKENS, RANKS, SHADES, CONSTANT, GLIMPSE]
