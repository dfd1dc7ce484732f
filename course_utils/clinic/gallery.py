"""The pictures of lesson 14: the symptoms on one wall, the tree from symptom to cause, and three rows of a balance."""

from statistics import mean, median
from typing import Any

import matplotlib.pyplot as plt

from course_utils.clinic.ward import patient
from course_utils.plots import curves, row
from course_utils.plots.card import GREY, Card

TRUNK = 1.75  # where the branches of the tree begin, in inches
WALL = [  # the exercise of a patient, which of its drawings, and what a visitor sees
    (1, 0, "every weight is 1"),
    (11, 0, "weights above 1"),
    (9, 0, "weight on what is hidden"),
    (12, 0, "a row that is nan"),
    (4, 0, "rows that sum to less than 1"),
    (2, 0, "answers that follow the padding"),
    (13, 0, "flatter with every head"),
    (6, 0, "goods that nobody looks at"),
    (5, 0, "wishes that move others' answers"),
    (3, 1, "words that move answers before"),
    (10, 0, "words that hear of nobody"),
    (8, 0, "a good reaches one answer"),
    (7, 0, "two visits, one map"),
    (15, 0, "one question, three maps"),
    (18, 0, "baskets exchange their masks"),
    (19, 0, "the last word sees the first"),
]
ROWS = [  # what is seen, what is tried, what it may be
    ("rows do not sum to 1", "sum rows, columns, elements", ("softmax over another axis, or one of size 1;\n"
     "mask after the softmax; scores kept")),
    ("weight where none should be", "hide a key, replace its value", ("mask not applied, inverted, multiplied,\n"
     "repeated in another order; or the map lies")),
    ("a number too good", "leak test, in both modes", ("the future seen: in evaluation, by a shift,\n"
     "through statistics; test data in training")),
    ("an answer depends on its company", "alone, then in a batch", ("padding takes part; element 0 only;\n"
     "softmax over the batch; masks exchanged")),
    ("who moves whom is odd", "influence of every place", ("heads across places; roles for places;\n"
     "the sum over another axis; one key only")),
    ("asked again, another answer", "the same call, three times", "dropout left on; an argument written into"),
    ("nan, or an error", "an empty row; float16; other lengths", ("nothing left to see; a fill too large;\n"
     "a layer or a view for one length")),
    ("the first loss is off", "compare with the log of the classes", "scores or sums that are too large"),
    ("nothing shows, and it learns badly", "the contract: equals PyTorch?", ("no root, or the root of the whole size;\n"
     "read at once, but written on: causal, top left")),
]  # fmt: skip


def gallery() -> None:
    """Draws sixteen symptoms, each computed from its patient now."""
    figure, axes = plt.subplots(4, 4, figsize=(13.2, 11.6))
    for ax, (number, place, words) in zip(axes.flat, WALL, strict=True):
        one = patient(number)
        one.shows(one.attention).drawings[place](ax)
        ax.set_title(words, size=11, loc="left")
        for part in ax.collections:
            if getattr(part, "colorbar", None):
                part.colorbar.remove()
        if ax.get_legend():
            low, high = ax.get_ylim()
            ax.set_ylim(low, low + 1.45 * (high - low))  # room for the legend above the lines
            ax.legend(loc="upper right", fontsize=8)
        ax.xaxis.label.set_size(9)
        ax.yaxis.label.set_size(9)
        ax.tick_params(labelsize=8)
    figure.suptitle("Sixteen symptoms", x=0.01, ha="left", size=13)


def tree() -> None:
    """Draws the tree: what is seen, what is tried, what it may be."""
    step, top = 0.82, 7.75
    card = Card(14.3, 8.7, "From a symptom to a test, and from the test to the causes")
    middle = top - step * (len(ROWS) - 1) / 2
    card.box("start", 0.95, middle, role="query", text="What do\nyou see?")
    for place, (seen, tried, causes) in enumerate(ROWS):
        y = top - step * place
        card.box(seen, 3.75, y, role="key")
        card.box(tried, 7.5, y, role="value")
        card.box(causes, 11.8, y, role="weights")
        edge = card.boxes[seen].get_x()
        card.axes.annotate("", (edge, y), (TRUNK, y), arrowprops={"arrowstyle": "-|>", "color": GREY, "lw": 1.5})
        card.arrow(seen, tried)
        card.arrow(tried, causes)
    ends = [card.boxes["start"].get_x() + card.boxes["start"].get_width(), TRUNK]
    card.axes.plot(ends, [middle, middle], color=GREY, lw=1.5)
    card.axes.plot([TRUNK, TRUNK], [top, top - step * (len(ROWS) - 1)], color=GREY, lw=1.5)
    for x, words, role in ((3.75, "symptom", "key"), (7.5, "test", "value"), (11.8, "cause", "weights")):
        card.note(x, top - step * len(ROWS) + 0.25, words, role=role)


def three_rows(reversal: dict[str, Any], cheaper: dict[str, Any], classify: dict[str, Any]) -> None:
    """Draws quality against length, time against length and quality against data, from three stored reports."""
    left, middle, right = row(3, 4.6, 3.8)
    kinds = {"attention": "dot", "one vector": "no attention"}
    runs = {name: reversal["contestants"][kind]["three times the steps"] for name, kind in kinds.items()}
    shares = {name: (reversal["lengths"], [mean(at) for at in zip(*run, strict=True)]) for name, run in runs.items()}
    curves(shares, "digits", "% right", "No fixed vector", left)
    clock = {}
    for name, kind in {"every pair": "naive", "a window": "window"}.items():
        timed = {int(length): median(found[kind]) for length, found in cheaper["seconds"].items() if kind in found}
        clock[name] = (list(timed), list(timed.values()))
    curves(clock, "keys", "seconds", "Quadratic cost", middle, logx=True, logy=True)
    learned = {name: classify["shares"][f"plain + {name}"] for name in ("attention", "mean")}
    by_data = {
        name: ([100 * float(share) for share in found], [mean(values) for values in found.values()])
        for name, found in learned.items()
    }
    curves(by_data, "% of the questions", "% right", "Data hunger", right, logx=True)
    right.set_xticks(next(iter(by_data.values()))[0])
    right.xaxis.set_major_formatter("{x:.0f}")
    right.minorticks_off()
