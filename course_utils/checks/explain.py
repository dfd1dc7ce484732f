"""What a check says where no known mistake explains an answer: where it is right, how it is related, what differs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from course_utils.checks.compare import Outcome, as_tensor, equal, same
from course_utils.checks.difference import describe_difference, describe_nan, part_name
from course_utils.checks.misfits import misfit
from course_utils.checks.places import which_cases, which_entries
from course_utils.checks.relations import relation
from course_utils.checks.shapes import about_shapes
from course_utils.checks.verdicts import Property
from course_utils.checks.wellformed import line_of
from course_utils.checks.words import say


@dataclass(frozen=True)
class Tried:
    """What an answer did with some cases, and what it should have done."""

    cases: list[tuple]
    found: list[Outcome]
    right: list[Outcome]
    tolerance: float
    names: list[str]  # of the arguments
    probe: Callable[[list[tuple]], str] | None = None  # what the answer does with other arguments, in a sentence

    @property
    def fine(self) -> list[bool]:
        """Which cases came out right."""
        return [same(one, two, self.tolerance) for one, two in zip(self.found, self.right, strict=True)]


def explain(tried: Tried, properties: list[Property], results: Sequence[str] = ()) -> tuple[str, str]:
    """The kind and the sentence: an error, a changed argument, the shape, nan, a property, a relation, a number."""
    case, found, right = next(
        three
        for three, fine in zip(zip(tried.cases, tried.found, tried.right, strict=True), tried.fine, strict=True)
        if not fine
    )
    where = which_cases(tried.cases, tried.fine, tried.names)
    if found.error is not None:
        error = found.error
        raised = {"error": type(error).__name__, "message": _short_message(error)}
        if plain := misfit(error, line_of(error)):
            return "misfit", _join(plain + say("exercise.python-says", **raised), where)
        said = say("exercise.raised", **raised, line=line_of(error))
        return ("cases" if where else "error"), _join(said, where)
    if right.error is not None:
        error = right.error
        said = say("exercise.should-raise", error=type(error).__name__, message=_short_message(error))
        return ("cases" if where else "error"), _join(said, where)
    if found.changed != right.changed:
        return "changed", say("exercise.changed")
    kind, said = _difference(tried, case, found.value, right.value, properties, results)
    return ("cases" if where and kind == "difference" else kind), _join(said, where)


def _difference(
    tried: Tried, case: tuple, found: Any, right: Any, properties: list[Property], results: Sequence[str]
) -> tuple[str, str]:
    """What is said of the first case that is wrong, with the relation that holds in all of them."""
    kind, related = _related(tried, results)
    if shape := describe_difference(found, right, shape=True, results=results):
        if not related and _of_another_kind(found, right):
            kind = "form"
        elif not related and (related := _shapes(tried)):
            kind = "shape"
        return kind, say("exercise.not-right", difference=_join(shape, _capital(related)))
    if nan := describe_nan(found, right, results):
        named = next((one for one in properties if "finite" in one.name and not _holds(one, case, found)), None)
        said = say("exercise.property", sentence=named.sentence) if named else say("exercise.not-right", difference=nan)
        return "nan", said
    for required in properties:
        if not _holds(required, case, found):
            return "property", _join(say("exercise.property", sentence=required.sentence), related)
    largest = describe_difference(found, right, results=results, tolerance=tried.tolerance)
    if related:
        return kind, _join(say("exercise.related", sentence=related), _capital(largest))
    return "difference", say("exercise.not-right", difference=largest)


def _related(tried: Tried, results: Sequence[str]) -> tuple[str, str]:
    """The kind and the sentence of what holds in every wrong case, of the first part that is wrong."""
    kept = [
        (case, one.value, two.value)
        for case, one, two, fine in zip(tried.cases, tried.found, tried.right, tried.fine, strict=True)
        if not fine and one.error is None and two.error is None
    ]
    if not kept:
        return "difference", ""
    cases, pairs = [case for case, _, _ in kept], [(one, two) for _, one, two in kept]
    if swapped := _parts_swapped(pairs, tried.tolerance):
        return "relation", swapped
    place, pairs = _first_wrong_part(pairs, tried.tolerance)
    sizes = [sizes_of(case, tried.names) for case in cases]
    kind, sentence = "relation", relation(pairs, sizes, tried.tolerance)
    if not sentence and tried.probe is not None:
        kind, sentence = "probe", tried.probe(cases)
        place = place if not sentence else None
    if not sentence:
        kind, sentence = "entries", which_entries(pairs, cases, tried.names, tried.tolerance)
    if not sentence:
        return "difference", ""
    if place is not None:
        sentence = say("difference.of", part=part_name(place, results), sentence=sentence)
    return kind, (say("relation.in-wrong-cases", sentence=sentence) if any(tried.fine) else _capital(sentence))


def _shapes(tried: Tried) -> str:
    """What holds of the shapes in every wrong case, of the first part that is wrong."""
    kept = [
        (sizes_of(case, tried.names), (as_tensor(one.value), as_tensor(two.value)))
        for case, one, two, fine in zip(tried.cases, tried.found, tried.right, tried.fine, strict=True)
        if not fine and one.error is None and two.error is None
    ]
    _, pairs = _first_wrong_part([pair for _, pair in kept], tried.tolerance)
    return about_shapes([(as_tensor(one), as_tensor(two)) for one, two in pairs], [sizes for sizes, _ in kept])


def _of_another_kind(found: Any, right: Any) -> bool:
    """Whether a result, or a part of it, is of another kind: a list for a tensor, numbers for True and False."""
    if isinstance(found, Mapping) and isinstance(right, Mapping):
        return found.keys() != right.keys() or any(_of_another_kind(found[key], right[key]) for key in right)
    if isinstance(found, tuple | list) and isinstance(right, tuple | list):
        return len(found) == len(right) and any(map(_of_another_kind, found, right))
    found, right = as_tensor(found), as_tensor(right)
    if isinstance(found, torch.Tensor) and isinstance(right, torch.Tensor):
        return found.shape == right.shape and (found.dtype == torch.bool) != (right.dtype == torch.bool)
    return type(found) is not type(right)


def _parts_swapped(pairs: list[tuple[Any, Any]], tolerance: float) -> str:
    several = all(
        isinstance(one, tuple | list) and isinstance(two, tuple) and len(one) == len(two) > 1 for one, two in pairs
    )
    swapped = several and all(equal(list(one)[::-1], list(two), tolerance) for one, two in pairs)
    return say("relation.parts-swapped") if swapped else ""


def _first_wrong_part(pairs: list[tuple[Any, Any]], tolerance: float) -> tuple[Any, list[tuple[Any, Any]]]:
    """The first item of tuples or dicts that is wrong somewhere, with its pairs; no item where results are single."""
    found, expected = pairs[0]
    if isinstance(expected, Mapping) and all(
        isinstance(one, Mapping) and one.keys() == expected.keys() for one, _ in pairs
    ):
        keys: Sequence[Any] = list(expected)
    elif isinstance(expected, tuple) and all(
        isinstance(one, tuple | list) and len(one) == len(expected) == len(two) for one, two in pairs
    ):
        keys = range(len(expected))
    else:
        return None, pairs
    for key in keys:
        parts = [(one[key], two[key]) for one, two in pairs]
        wrong = [pair for pair in parts if not equal(*pair, tolerance)]
        if len(wrong) == len(parts):
            return key, parts
    return None, pairs


def sizes_of(case: tuple, names: list[str]) -> dict[str, int]:
    """The sizes that a wrong factor may come from: numbers among the arguments, and the axes of tensors."""
    found: dict[str, int] = {}
    for name, value in zip(names, case, strict=False):
        if isinstance(value, int) and not isinstance(value, bool):
            found[f"`{name}`"] = value
        elif isinstance(value, torch.Tensor):
            for axis in range(-1, -value.dim() - 1, -1):
                found[say("relation.size", name=name, axis=axis)] = value.shape[axis]
    return found


def describe_error(found: list[Outcome]) -> str:
    """What an answer raised, in Python's words: several causes may raise the same kind of error."""
    error = next((outcome.error for outcome in found if outcome.error is not None), None)
    return "" if error is None else say("exercise.python-says", error=type(error).__name__, message=str(error)[:160])


def _short_message(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


def _join(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _holds(required: Property, case: tuple, value: Any) -> bool:
    try:
        return bool(required.holds(case, value))
    except Exception:  # a result of another form, which a property cannot read, does not have it
        return False
