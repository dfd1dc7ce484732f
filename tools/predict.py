"""A question before its answer: the outputs that answer a **Predict.** prompt stay hidden until they are asked for."""

from nbformat import NotebookNode

PROMPT = "**Predict.**"
ANSWER = "answer"  # the tag of a cell further on that answers a prompt as well


def hide_answers(cells: list[NotebookNode]) -> None:
    """Marks the code cells that follow a prompt directly, and those tagged `answer`, so that outputs begin hidden.

    JupyterLab shows the output as soon as the cell is run, and on a click; `collapsed` says the same to front ends
    that keep to the notebook format alone; the site folds what is tagged `hide-output`.
    """
    asked = False
    for cell in cells:
        if cell.cell_type != "code":
            asked = PROMPT in cell.source
        elif asked or ANSWER in cell.metadata.get("tags", []):
            cell.metadata["collapsed"] = True
            cell.metadata["jupyter"] = {**cell.metadata.get("jupyter", {}), "outputs_hidden": True}
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-output"]


def unanswered(cells: list[NotebookNode]) -> list[str]:
    """The ids of prompts whose first output, before the next heading, stands in sight; or that have none at all."""
    found = []
    for place, cell in enumerate(cells):
        if cell.cell_type == "code" or PROMPT not in cell.source:
            continue
        for later in cells[place + 1 :]:
            if later.cell_type == "code" and later.outputs:
                if not later.metadata.get("jupyter", {}).get("outputs_hidden"):
                    found.append(cell.id)
                break
        else:
            found.append(cell.id)
    return found
