"""The three forms in which a bank writes its exercises: code stands here by name, the sentences stand in words/.

Each name of a mistake, a property or a requirement is a key of the exercise's table in words/<language>/NN.toml, where
"title" is its title: `write("3.1", …, mistakes={"no-root": …})` says the sentence `no-root` of ["3.1"] in 03.toml.
Where a mistake is a small change of a right answer, `edited` writes it as that change.
"""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from course_utils.checks.graded import Exercise, Prediction, Witness
from course_utils.checks.verdicts import Mistake, Property, Requirement
from course_utils.checks.words import sentences

Edit = tuple[str, str]


def write(
    key: str,
    *,
    oracle: Callable,
    inputs: Callable[[torch.Generator], list[tuple]],
    mistakes: Mapping[str, Callable],
    properties: Mapping[str, Callable[[tuple, Any], bool]] | None = None,
    call: Callable | None = None,
    tolerance: float = 1e-4,
    results: Sequence[str] = (),
) -> Exercise:
    """A function or a class to write: compared with the oracle on what `inputs` draws (see Exercise).

    `results` are the names of the results, where there are several and the task names them.
    """
    said = sentences(key)
    return Exercise(
        key,
        said["title"],
        oracle=oracle,
        inputs=inputs,
        mistakes=[Mistake(name, answer, said[name]) for name, answer in mistakes.items()],
        properties=[Property(said[name], holds, name) for name, holds in (properties or {}).items()],
        call=call,
        tolerance=tolerance,
        results=tuple(results),
    )


def predict(
    key: str,
    *,
    truth: Callable[[], Mapping[str, Any]],
    mistakes: Mapping[str, Mapping[str, Any]],
    tolerance: float = 1e-3,
) -> Prediction:
    """Values to predict, by label: each mistake gives the wrong values that a misconception leads to."""
    said = sentences(key)
    named = [Mistake(name, values, said[name]) for name, values in mistakes.items()]
    return Prediction(key, said["title"], truth, named, tolerance)


def prove(key: str, *, requirements: Mapping[str, Callable[[Any], bool]]) -> Witness:
    """Something to construct that must meet every requirement, in order."""
    said = sentences(key)
    named = [Requirement(name, holds, said[name]) for name, holds in requirements.items()]
    return Witness(key, said["title"], named)


def edited(right: Callable, edits: Mapping[str, Edit | list[Edit]]) -> dict[str, Callable]:
    """Wrong answers, each a change in the text of a right one: `{"no-root": (" / root", "")}` cuts the division out.

    An edit is what stands there and what to put in its place; a list of them is made in its order. `right` is a
    function or a class of a module; each answer keeps it as its attribute `right`. Raises ValueError for a text that
    does not stand there exactly once.
    """
    source, scope = inspect.getsource(right), vars(sys.modules[right.__module__])
    made = {}
    for name, changes in edits.items():
        text = source
        for old, new in changes if isinstance(changes, list) else [changes]:
            if text.count(old) != 1:
                raise ValueError(f"{name}: got {old!r} {text.count(old)} times in {right.__name__}, expected it once")
            text = text.replace(old, new)
        own: dict[str, Any] = {}
        exec(compile(text, f"<{right.__name__}, {name}>", "exec"), scope, own)
        made[name] = own[right.__name__]
        made[name].right = right
    return made
