"""What we add to Sphinx: formulas as MathML, answers that begin folded, names for cells, pictures that wait."""

from __future__ import annotations

import html
import re
import struct
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from website import address
from website.formulas import FONT, show_block, show_inline, write_font
from website.markdown import first_sentences
from website.sources import CARD, source_of

IMAGE = re.compile(r'<img (?P<more>[^>]*?)src="(?P<src>[^"]+)"(?P<end>[^>]*?)/?>')
PROMPT = "Predict."
UNSAID = {
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="All pages">',
    '<aside class="toc-drawer': '<aside aria-label="On this page" class="toc-drawer',
}


class folded(nodes.General, nodes.Element):
    """An answer to a **Predict.** prompt: what a cell shows, and the words that read it."""


class Cells(SphinxTransform):
    """Gives each cell of code its name as an anchor, and folds what answers a prompt."""

    default_priority = 400

    def apply(self, **arguments) -> None:
        for cell in list(self.document.findall(_is_cell)):
            anchor = cell.get("cell_metadata", {}).get("anchor")
            if anchor and anchor not in self.document.ids:
                cell["ids"].append(anchor)
                self.document.ids[anchor] = cell
            if "tag_folded" in cell["classes"]:
                _fold(cell)
            cell.attributes.pop("cell_metadata", None)


def _is_cell(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def _fold(cell: nodes.container) -> None:
    """Puts the outputs of a cell, and the words that follow it up to the next cell or prompt, into one fold."""
    answer = folded()
    for part in list(cell.children):
        if part.get("nb_element") == "cell_code_output":
            cell.remove(part)
            answer += part
    if not answer.children:
        return
    parent = cell.parent
    place = parent.index(cell) + 1
    while place < len(parent) and not _ends(parent[place]):
        words = parent[place]
        parent.remove(words)
        answer += words
    parent.insert(place, answer)


def _ends(node: nodes.Node) -> bool:
    prompt = isinstance(node, nodes.paragraph) and node.astext().startswith(PROMPT)
    return prompt or isinstance(node, nodes.section) or _is_cell(node)


def open_fold(writer, node: folded) -> None:
    writer.body.append('<details class="answer"><summary>Show the answer</summary>\n<div>\n')


def close_fold(writer, node: folded) -> None:
    writer.body.append("</div>\n</details>\n")


def wait_for_pictures(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """Says how large each picture is, so that the page does not jump, and loads it when it comes into sight.

    A click shows a picture alone: on a narrow screen a wide one is small.
    """
    if "body" not in context:
        return
    files = {name: Path(app.srcdir, uri) for uri, (_, name) in app.env.images.items()}

    def one(found: re.Match) -> str:
        path = files.get(found["src"].rpartition("/")[2])
        size = _size(path) if path else None
        attributes = f'width="{size[0]}" height="{size[1]}" ' if size else ""
        shown = f'<img {found["more"]}{attributes}src="{found["src"]}" loading="lazy" decoding="async"{found["end"]}>'
        return f'<a class="enlarge" href="{found["src"]}">{shown}</a>' if size else shown

    context["body"] = IMAGE.sub(one, context["body"])


def say_what_it_is(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """A description for search engines; where the address is known, also the card that others show, and "edit"."""
    paragraphs = doctree.findall(nodes.paragraph) if doctree is not None else ()
    said = html.escape(first_sentences(next((one.astext() for one in paragraphs if one.astext()), "")))
    context["metatags"] = context.get("metatags", "") + (f'<meta name="description" content="{said}">' if said else "")
    source = source_of(page)
    if not address.pages() or not source:
        context["theme_source_edit_link"] = context["theme_top_of_page_buttons"] = ""
        return
    context["theme_source_edit_link"] = f"{address.repository()}/edit/main/{source}"
    title = html.escape(context.get("title") or context["docstitle"])
    shown = {"title": title, "description": said, "type": "website"}
    shown |= {"url": f"{address.pages()}{page}.html", "image": f"{address.pages()}{CARD}"}
    context["metatags"] += "".join(f'<meta property="og:{name}" content="{text}">' for name, text in shown.items())


def _size(path: Path) -> tuple[int, int] | None:
    """Width and height of a PNG."""
    with path.open("rb") as file:
        start = file.read(24)
    return struct.unpack(">II", start[16:24]) if start[:8] == b"\x89PNG\r\n\x1a\n" else None


def finish(app: Sphinx, problem: Exception | None) -> None:
    """Writes the font of the formulas beside the styles, and says what the theme leaves unsaid to a screen reader."""
    if problem is not None or app.builder.format != "html":
        return
    write_font(Path(app.outdir, "_static", FONT))
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text("utf-8")
        for before, after in UNSAID.items():
            text = text.replace(before, after)
        path.write_text(text, "utf-8")


def setup(app: Sphinx) -> dict:
    """Tells Sphinx about all of it."""
    app.add_html_math_renderer("mathml", (show_inline, None), (show_block, None))
    app.add_node(folded, html=(open_fold, close_fold))
    app.add_transform(Cells)
    app.connect("html-page-context", wait_for_pictures)
    app.connect("html-page-context", say_what_it_is)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
