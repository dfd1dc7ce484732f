"""Attention to move over: queries on the left, keys on the right, and where each query looks.

One self-contained piece of HTML and JavaScript, a few kilobytes with its numbers in it. It works in JupyterLab, in
Colab and in exported pages, without a kernel and without a network; where scripts are stripped (GitHub, a notebook that
is not trusted) a plain table of the weights stands in its place. `numbers` checks and packs what is
shown; `page` writes the HTML around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from course_utils.explorer.numbers import Names, encode, require_names, require_numbers, top_sentence, weights_of
from course_utils.explorer.page import page

__all__ = ["Explorer", "explore"]


class Explorer:
    """The picture that `explore` returns: the last line of a cell shows it."""

    def __init__(self, digits: str, names: Names, approximate: bool) -> None:
        self.digits, self.names, self.approximate = digits, names, approximate

    def _repr_html_(self) -> str:
        return page(self.digits, self.names, self.approximate)

    def __repr__(self) -> str:
        """Where each query looks, for a reader of plain text; without numbers when they depend on the machine."""
        names = self.names
        first = names.title or f"Attention of {len(names.queries)} queries over {len(names.keys)} keys"
        if self.approximate:
            return f"{first}\nqueries: {', '.join(names.queries)}\nkeys: {', '.join(names.keys)}"
        weights = weights_of(self.digits, names)[0, 0]
        return "\n".join(
            [first, *(top_sentence(q, row, names.keys) for q, row in zip(names.queries, weights, strict=True))]
        )


def explore(
    weights,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    scores=None,
    heads: Sequence[str] | None = None,
    layers: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    temperature: float = 1.0,
    title: str = "",
    caption: str = "",
    approximate: bool = False,
) -> Explorer:
    """Shows weights as a picture that answers to the mouse, the keyboard and a screen reader.

    Shapes: weights (query, key), (head, query, key) or (layer, head, query, key); scores the same, −inf = hidden.
    With scores there is a slider for the temperature, which computes their softmax anew; it starts at `temperature`,
    and weights must be softmax(scores / temperature). `heads` and `layers` name the buttons (1, 2, … otherwise);
    `labels` replaces the words "query", "key", "head" and "layer". Weights are shown with two decimals.

    A stored notebook is compared text by text. `approximate=True` is for weights that depend on the machine, those of
    anything trained: all of their digits are then written as numbers after ≈, which are not compared, and the cell
    asserts what must hold everywhere. Raises ValueError that names the argument.
    """
    weights, below = require_numbers(weights, scores, temperature)
    start = None if scores is None else float(temperature)
    names = require_names(weights.shape, queries, keys, heads, layers, labels, title, caption, start)
    return Explorer(encode(weights, below), names, bool(approximate))
