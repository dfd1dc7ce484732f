"""The explorer's page: a table for readers without scripts, and the script that puts the picture in its place."""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape
from importlib.resources import files

from course_utils.explorer.numbers import Names, weights_of, written


def page(digits: str, names: Names, approximate: bool) -> str:
    """The HTML of one explorer; the same numbers give the same bytes."""
    sign = "≈ " if approximate else ""
    flipped = len(names.keys) > 12 and len(names.keys) > len(names.queries)  # a long table can be read, a wide one not
    words = {
        "queries": names.queries, "keys": names.keys, "heads": names.heads, "layers": names.layers,
        "labels": dict(names.labels), "temperature": names.temperature, "title": names.title, "caption": names.caption,
        "flipped": flipped,
    }  # fmt: skip
    data = escape(json.dumps(words, ensure_ascii=False, separators=(",", ":")), quote=False).replace("'", "&#39;")
    title = f"<p><strong>{escape(names.title)}</strong></p>\n" if names.title else ""
    caption = f"\n<p>{escape(names.caption)}</p>" if names.caption else ""
    return (  # JupyterLab takes no arrow key for itself below data-lm-suppress-shortcuts
        f'<div class="attention-explorer tex2jax_ignore mathjax_ignore" data-lm-suppress-shortcuts="true"'
        f" data-numbers=\"{sign}{digits}\" data-names='{data}'>\n"
        f"{title}{_table(digits, names, flipped, sign)}{caption}\n</div>\n<script>{_script()}</script>"
    )


def _table(digits: str, names: Names, flipped: bool, sign: str) -> str:
    """The weights of the first layer and head, queries down and keys across unless that is too wide."""
    weights = weights_of(digits, names)[0, 0]
    down, across, corner = names.queries, names.keys, f"{names.labels['query']} ↓ {names.labels['key']} →"
    if flipped:
        weights, down, across = weights.T, across, down
        corner = f"{names.labels['key']} ↓ {names.labels['query']} →"
    which = [f"{names.labels[one]} {group[0]}" for one, group in (("layer", names.layers), ("head", names.heads))]
    which = [text for text, group in zip(which, (names.layers, names.heads), strict=True) if len(group) > 1]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in across)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{sign}{written(weight)}</td>" for weight in line)
        + "</tr>\n"
        for name, line in zip(down, weights.tolist(), strict=True)
    )
    said = escape(", ".join(["weights", *which]))
    return (
        f'<table slot="table"><caption>{said}</caption>\n'
        f"<thead><tr><th>{escape(corner)}</th>{head}</tr></thead>\n<tbody>\n{body}</tbody></table>"
    )


@cache
def _script() -> str:
    """The script with its style inside, without indentation and comments: it stands in every output."""
    here = files("course_utils.explorer")
    style = re.sub(r"/\*.*?\*/|\n\s*", "", here.joinpath("explorer.css").read_text("utf-8"), flags=re.DOTALL)
    style = re.sub(r"\s*([{};,])\s*|(:) ", r"\1\2", style)
    script = re.sub(r"^\s*//.*\n|^\s+", "", here.joinpath("explorer.js").read_text("utf-8"), flags=re.MULTILINE)
    script = re.sub(r"[ ]+// .*$", "", script, flags=re.MULTILINE)
    return f"(() => {{const STYLE = {json.dumps(style, ensure_ascii=False)};\n{script}}})();"
