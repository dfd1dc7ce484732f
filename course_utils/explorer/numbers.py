"""What the explorer shows, checked and written as digits that are the same on every machine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from course_utils.printing import tidy

MOST = 64  # more rows than this nobody can read
HIDDEN = 999_999  # stands for a score of −inf, in thousandths below the best score of the row
FURTHEST = 999  # temperatures below the best score of the row
WORDS = {"query": "query", "key": "key", "head": "head", "layer": "layer"}
SIGNS = {" ": "␣", "": "∅", "\n": "↵", "\t": "⇥"}  # names that could not be seen


@dataclass(frozen=True)
class Names:
    """Every word that stands in the picture, and the first temperature if scores are given."""

    queries: tuple[str, ...]
    keys: tuple[str, ...]
    heads: tuple[str, ...]
    layers: tuple[str, ...]
    labels: Mapping[str, str]
    title: str
    caption: str
    temperature: float | None


def require_numbers(weights, scores, temperature) -> tuple[Tensor, Tensor | None]:
    """Gives weights, and how many temperatures each score lies below the best of its row, in double precision.

    Shapes: two to four axes, (…, query, key) → (layer, head, query, key). Raises ValueError for numbers that cannot be
    weights, and for weights that are not softmax(scores / temperature).
    """
    weights = _double("weights", weights)
    if not 2 <= weights.dim() <= 4:
        raise ValueError(f"weights: got shape {tuple(weights.shape)}, expected ((layer,) head,) query, key")
    if not weights.numel() or max(weights.shape[-2:]) > MOST:
        raise ValueError(f"weights: got shape {tuple(weights.shape)}, expected 1 to {MOST} queries and keys")
    if not (weights.isfinite().all() and weights.min() >= -1e-4 and weights.max() <= 1 + 1e-4):
        raise ValueError(f"weights: got {weights.min():.3g} to {weights.max():.3g}, expected numbers from 0 to 1")
    if scores is None:
        if temperature != 1:
            raise ValueError(f"temperature: got {temperature} without scores, expected scores too")
        return _four_axes(weights.clamp(0, 1)), None
    if not isinstance(temperature, int | float) or not 0 < temperature < math.inf:
        raise ValueError(f"temperature: got {temperature!r}, expected a number above 0")
    scores = _double("scores", scores)
    if scores.shape != weights.shape:
        raise ValueError(f"scores: got shape {tuple(scores.shape)}, expected that of weights, {tuple(weights.shape)}")
    if scores.isnan().any() or (scores == math.inf).any():
        raise ValueError("scores: got nan or inf, expected numbers, or −inf where a mask hides a key")
    below = (scores.max(-1, keepdim=True).values - scores).masked_fill(scores == -math.inf, math.inf) / temperature
    furthest = below.masked_fill(below == math.inf, 0).max()
    if furthest > FURTHEST:
        raise ValueError(
            f"scores: got one that lies {furthest:.4g} temperatures below the best of its row, expected at most "
            f"{FURTHEST}, or −inf where a mask hides a key"
        )
    difference = (_softmax(below) - weights).abs().max()
    if difference > 0.005:
        off = f"{difference:.3f}"
        raise ValueError(f"weights: got some that are {off} off, expected those from softmax(scores / temperature)")
    return _four_axes(weights.clamp(0, 1)), _four_axes(below)


def require_names(shape, queries, keys, heads, layers, labels, title, caption, temperature: float | None) -> Names:
    """Gives all names as texts that can be seen; raises ValueError when they do not fit the shape of the weights."""
    given = {"queries": queries, "keys": keys, "heads": heads, "layers": layers}
    made = {}
    for (name, texts), count in zip(given.items(), (*shape[-2:], shape[1], shape[0]), strict=True):
        if texts is None and name in ("heads", "layers"):
            texts = range(1, count + 1)
        if not isinstance(texts, Sequence) or len(texts) != count:
            got = f"{len(texts)} names" if isinstance(texts, Sequence) else type(texts).__name__
            raise ValueError(f"{name}: got {got}, expected {count}, one for each of weights' {name}")
        made[name] = tuple(SIGNS.get(str(text), str(text)) for text in texts)
    for word in labels or {}:
        if word not in WORDS:
            raise ValueError(f"labels: got a label for {word!r}, expected labels for {', '.join(WORDS)} only")
    named = {word: str((labels or {}).get(word, word)) for word in WORDS}
    for name, text in (("title", title), ("caption", caption)):
        if not isinstance(text, str):
            raise ValueError(f"{name}: got {type(text).__name__}, expected a text")
    return Names(**made, labels=named, title=title, caption=caption, temperature=temperature)


def encode(weights: Tensor, below: Tensor | None) -> str:
    """Writes every number with a fixed count of digits: one long whole number, which ≈ can stand before.

    Shapes: (layer, head, query, key). Weights become four digits, in thousandths. Scores become six: how far each lies
    below the best of its row, since softmax does not change when a row is shifted.
    """
    if below is None:
        return "".join(f"{number:04d}" for number in _thousandths(weights))
    return "".join(f"{number:06d}" for number in _thousandths(below.clamp(max=HIDDEN / 1000)))


def weights_of(digits: str, names: Names) -> Tensor:
    """Reads the weights back from the digits, at the first temperature, as the JavaScript does.

    Shapes: → (layer, head, query, key).
    """
    width = 4 if names.temperature is None else 6
    whole = torch.tensor([int(digits[at : at + width]) for at in range(0, len(digits), width)], dtype=torch.float64)
    whole = whole.view(len(names.layers), len(names.heads), len(names.queries), len(names.keys))
    return whole / 1000 if width == 4 else _softmax((whole / 1000).masked_fill(whole == HIDDEN, math.inf))


def written(weight: float) -> str:
    """A weight with two decimals; halves go up, as in the JavaScript."""
    return f"{math.floor(weight * 100 + 0.5 + 1e-9) / 100:.2f}"


def top_sentence(query: str, weights: Tensor, keys: Sequence[str]) -> str:
    """Where a query looks most, as a screen reader says it: "notebook attends to laptop 0.52, pen 0.10"."""
    order = sorted(range(len(keys)), key=lambda key: (-float(weights[key]), key))
    best = [f"{keys[key]} {written(float(weights[key]))}" for key in order[:3] if weights[key] >= 0.005]
    return f"{query} attends to {', '.join(best) or 'nothing'}"


def _double(name: str, numbers) -> Tensor:
    try:
        return torch.as_tensor(numbers).detach().cpu().double()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name}: got {type(numbers).__name__}, expected a tensor of numbers") from error


def _four_axes(numbers: Tensor) -> Tensor:
    return numbers[(None,) * (4 - numbers.dim())]


def _softmax(below: Tensor) -> Tensor:
    """Weights from how far scores lie below the best; a row with nothing to look at gets weights 0."""
    return torch.softmax(-below, -1).nan_to_num(0.0)


def _thousandths(numbers: Tensor) -> list[int]:
    """Whole thousandths. What lies halfway, as 1/16 does, goes up on every machine: hence the hair."""
    return (tidy(numbers + 1e-6, digits=3) * 1000).round().long().flatten().tolist()
