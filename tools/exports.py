"""What `jupyter nbconvert` needs to know for other formats: the language for scripts, the sections for slides."""

import re

from nbformat import NotebookNode
from predict import PROMPT

LANGUAGE = {  # constant: Jupyter adds the version of Python when it runs a notebook, and a rebuild must not differ
    "name": "python",
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
HEADING = re.compile(r"(?:\[!.*\n\n)?(#+) ")  # a badge may stand before the first


def mark_slides(cells: list[NotebookNode]) -> None:
    """A section is a slide, a smaller heading or *Predict* one below it; what answers a prompt comes on a click."""
    for cell in cells:
        kind = _kind(cell)
        if kind:
            cell.metadata["slideshow"] = {"slide_type": kind}


def _kind(cell: NotebookNode) -> str:
    if cell.cell_type == "code":
        hidden = cell.metadata.get("jupyter", {}).get("outputs_hidden")
        return "skip" if "set-up" in cell.metadata.get("tags", []) else "fragment" if hidden else ""
    heading = HEADING.match(cell.source)
    if heading:
        return "slide" if len(heading[1]) <= 2 else "subslide"
    return "subslide" if PROMPT in cell.source else ""
