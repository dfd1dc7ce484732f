"""A report as a picture: the curves, the error by length, and what the model looked at."""

from pathlib import Path
from typing import BinaryIO

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_utils import plots
from course_utils.plots.alignment import alignment
from course_utils.train.reports import origin


def draw(report: dict) -> Figure:
    """Draws a report: losses and error by length on top, up to three alignments below."""
    shown = [example for example in report["examples"] if example["weights"]][:3]
    plots.use_style()
    figure = Figure(figsize=(13, 9.4 if shown else 4.6))  # not by pyplot, which would open a window where there is one
    figure.supxlabel(origin(report), size=8, color="#555555")
    layout = figure.add_gridspec(2 if shown else 1, 6)
    draw_losses(report, figure.add_subplot(layout[0, :3]))
    draw_by_length({contestant(report): report}, figure.add_subplot(layout[0, 3:]))
    for place, example in enumerate(shown):
        draw_alignment(example, figure.add_subplot(layout[1, 2 * place : 2 * place + 2]))
    return figure


def contestant(report: dict) -> str:
    """A name for a legend: the model, and the attention of a recurrent one."""
    settings = report["settings"]
    if settings.get("model", "recurrent") != "recurrent":  # the oldest reports know one model only
        return settings["model"]
    return "no attention" if settings["attention"] == "none" else settings["attention"]


def draw_file(report: dict, path: str | Path | BinaryIO) -> None:
    """Draws a report into a PNG file, without a screen."""
    draw(report).savefig(path, dpi=110, format="png")


def draw_losses(report: dict, ax: Axes | None = None) -> None:
    """Draws the mean loss of a token against time, in training and on held-out data."""
    history = report["history"]
    harder = "with dropout and smoothed labels" if report["settings"]["smoothing"] else "with dropout"
    minutes = [seconds / 60 for seconds in history["seconds"]]
    series = {
        f"training, {harder}": (minutes[1:], history["train"][1:]),
        "held out": (minutes[1:], history["dev"][1:]),
    }
    plots.curves(series, "minutes of training", "loss of a token (nats)", "Loss, training and held out", ax=ax)


def draw_by_length(reports: dict[str, dict], ax: Axes | None = None) -> None:
    """Draws what went wrong (or BLEU) against the length of the source, one curve for each named report."""
    series = {}
    for name, report in reports.items():
        way, rows = list(report["by_length"]["rows"].items())[-1]
        series[f"{name}, {way}"] = (
            [low if low == high else (low + high) / 2 for low, high, *_ in rows],
            [row[3] for row in rows],
        )
    measure = next(iter(reports.values()))["by_length"]["measure"]
    unit = measure if measure in ("BLEU", "perplexity") else f"{measure} (%)"
    ax = plots.row(1, 6.5, 4)[0] if ax is None else ax
    plots.curves(series, "length of the source", unit, f"{measure[0].upper()}{measure[1:]} by length", ax=ax)
    ax.set_ylim(bottom=0)


def draw_alignment(example: dict, ax: Axes | None = None) -> None:
    """Draws the weights of one example: what was written down, what was read across."""
    source, target = example["source"], example["target"]
    if any(len(token) > 1 for token in source):  # words
        plots.heatmap(example["weights"], target, source, "What each word looked at", ax=ax, annotate=False)
    elif any(len(token) > 1 for token in target):  # sounds
        plots.heatmap(example["weights"], target, source, "".join(source), ax=ax, annotate=False)
    else:  # characters, which may run from right to left
        alignment(torch.tensor(example["weights"]), "".join(source), "".join(target), ax=ax)
