"""The mechanism of the checks: right passes, a known mistake draws its sentence, anything else is still explained."""

import copy
import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils import checks
from course_utils.checks import Exercise, Mistake, Prediction, Property, Requirement, Witness
from course_utils.checks.compare import equal, raise_alike, run
from course_utils.checks.explain import describe_difference
from course_utils.checks.forms import edited
from course_utils.checks.record import Record


def scores(generator):
    return [(torch.randn(3, 5, generator=generator),), (torch.randn(2, 4, 6, generator=generator),)]


def in_place(values):
    values -= values.max(-1, keepdim=True).values
    return torch.softmax(values, -1)


def raises(values):
    raise KeyError("no such thing")


SOFTMAX = Exercise(
    "9.1",
    "softmax",
    oracle=lambda values: torch.softmax(values, -1),
    inputs=scores,
    mistakes=[
        Mistake("over-rows", lambda values: torch.softmax(values, 0), "over rows"),
        Mistake("in-place", in_place, "changed"),
        Mistake("raises", raises, "a key error"),
    ],
    properties=[Property("every row must sum to 1", lambda a, result: torch.allclose(result.sum(-1), torch.ones(())))],
)


def examine(exercise, answer):
    return exercise.examine(answer, torch.Generator().manual_seed(1))


def test_right_answers_pass_in_any_style():
    def loop(values):
        flat = values.reshape(-1, values.shape[-1])
        return torch.stack([row.exp() / row.exp().sum() for row in flat]).reshape(values.shape)

    for answer in (loop, lambda values: values.softmax(-1), torch.nn.Softmax(dim=-1)):
        assert examine(SOFTMAX, answer).state == "passed"


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (lambda values: values.exp() / values.exp().sum(0), "over-rows"),
        (lambda values: {}["absent"], "raises"),
        (lambda values: values.sub_(values.amax(-1, keepdim=True)).softmax(-1), "in-place"),
    ],
)
def test_a_known_mistake_is_named_however_it_is_written(answer, mistake):
    verdict = examine(SOFTMAX, answer)
    assert (verdict.state, verdict.mistake) == ("wrong", mistake)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda values: values.softmax(-1).sum(-1), "expected the shape (3, 5), got (3,)"),
        (lambda values: values.softmax(-1) * 2, "every row must sum to 1"),
        (lambda values: values.softmax(-1).flip(-1), "The largest difference is at index"),
        (lambda values: values.softmax(-1) > 0.5, "expected numbers, got True and False"),
        (lambda values: "weights", "expected a tensor of shape (3, 5), got 'weights'"),
        (lambda values: values.nothing, "raised AttributeError"),
        (lambda: 1, "does not fit the call: takes 0 positional arguments but 1 was given"),
        (lambda values: max(values, key=3), "raised TypeError"),
        (3.5, "needs the function itself, but got 3.5"),
        (lambda values: values.softmax(-1) * torch.nan, "there is nan (not a number) at index (0, 0)"),
    ],
)
def test_what_no_known_mistake_explains_is_explained(answer, words):
    verdict = examine(SOFTMAX, answer)
    assert (verdict.state, verdict.mistake) == ("wrong", None)
    assert words in verdict.message


def test_untouched_answers_are_not_yet():
    def stub(values):
        """A docstring is no answer."""
        ...

    def pending(values):
        raise NotImplementedError()

    class Module(torch.nn.Module):
        def __init__(self):
            super().__init__()
            ...

        def forward(self, values): ...

    for answer in (None, ..., stub, pending, Module):
        verdict = examine(SOFTMAX, answer)
        assert verdict.state == "not yet" and "Write your answer" in verdict.message


def test_a_forgotten_return_is_said():
    def forgot(values):
        weights = values.softmax(-1)  # noqa: F841 - the mistake itself

    verdict = examine(SOFTMAX, forgot)
    assert verdict.state == "not yet" and "return" in verdict.message


def test_the_learners_random_state_and_data_are_untouched():
    def draws(values):
        torch.rand(3), random.random(), np.random.rand()
        return values.softmax(-1)

    torch.manual_seed(5), random.seed(5), np.random.seed(5)
    expected = torch.rand(1).item(), random.random(), np.random.rand()
    torch.manual_seed(5), random.seed(5), np.random.seed(5)
    assert examine(SOFTMAX, draws).state == "passed"
    assert (torch.rand(1).item(), random.random(), np.random.rand()) == expected


SHAPES = Prediction(
    "9.2",
    "shapes",
    truth=lambda: {"scores": (2, 3), "sum": 1.0, "moves": False},
    mistakes=[Mistake("swapped", {"scores": (3, 2)}, "swapped"), Mistake("moves", {"moves": True}, "it does not move")],
)


@pytest.mark.parametrize(
    ("answer", "state", "mistake"),
    [
        ({"scores": (2, 3), "sum": 1, "moves": False}, "passed", None),
        ({"scores": torch.Size([2, 3]), "sum": 1.0, "moves": False}, "passed", None),
        ({"scores": (3, 2), "sum": 1, "moves": False}, "wrong", "swapped"),
        ({"scores": (2, 3), "sum": 1, "moves": True}, "wrong", "moves"),
        ({"scores": (2, 3), "sum": 0.5, "moves": False}, "wrong", None),
        ({"scores": (2, 3), "sum": 1, "moves": 0}, "passed", None),
        ({"scores": (2, 3), "sum": ..., "moves": False}, "not yet", None),
        ({"scores": (2, 3)}, "not yet", None),
        (..., "not yet", None),
        (7, "wrong", None),
    ],
)
def test_predictions(answer, state, mistake):
    verdict = SHAPES.examine(answer)
    assert (verdict.state, verdict.mistake) == (state, mistake)


def test_a_witness_must_meet_every_requirement_in_order():
    witness = Witness(
        "9.3",
        "weights",
        [
            Requirement("negative", lambda answer: min(answer) >= 0, "a weight is negative"),
            Requirement("sum", lambda answer: abs(sum(answer) - 1) < 1e-6, "they do not sum to 1"),
        ],
    )
    assert witness.examine([0.5, 0.5]).state == "passed"
    assert witness.examine([-1, 3]).mistake == "negative"
    assert witness.examine([1, 3]).mistake == "sum"
    assert witness.examine(...).state == "not yet"
    assert "could not read" in witness.examine(7).message


def test_check_and_progress_print_and_strict_mode_raises(monkeypatch, capsys):
    monkeypatch.setattr(checks, "_exercise", lambda key: {"9.1": SOFTMAX, "9.2": SHAPES}[key])
    monkeypatch.setattr("course_utils.checks.bank.bank", lambda lesson: {"9.1": SOFTMAX, "9.2": SHAPES})
    monkeypatch.setattr(checks, "_record", Record())
    checks.progress()
    checks.check("9.1", lambda values: values.softmax(-1))
    checks.check("9.2", ...)
    checks.progress()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "No exercise has been checked yet."
    assert lines[1] == "✓ 9.1 softmax: correct on 2 random inputs."
    assert lines[2].startswith("○ 9.2 shapes: not yet")
    assert lines[3:] == ["Lesson 09: 1 of 2 exercises done.", "  ✓ 9.1 softmax", "  ○ 9.2 shapes"]
    monkeypatch.setenv("ATTENTION_COURSE_STRICT", "1")
    with pytest.raises(AssertionError, match="over rows"):
        checks.check("9.1", lambda values: values.softmax(0))


def test_a_long_sentence_is_broken_between_words(monkeypatch, capsys):
    monkeypatch.setattr(checks, "_exercise", lambda key: SOFTMAX)
    monkeypatch.setattr(checks, "_record", Record())
    monkeypatch.setattr(checks, "WIDE", 20)
    verdict = SOFTMAX.examine(lambda values: values.softmax(0), torch.Generator().manual_seed(0))
    checks.check("9.1", lambda values: values.softmax(0))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1 and all(line.startswith("  ") for line in lines[1:])
    assert " ".join(" ".join(lines).split()) == f"✗ 9.1 softmax: {verdict.message}"


@pytest.mark.parametrize("key", ["99.1", "x", 3, "0.99"])
def test_an_unknown_key_is_named(key):
    with pytest.raises(ValueError, match="^key: got"):
        checks.find(key)


def outcome(answer, *case):
    return run(answer, case, None, seed=0)


def error(answer, *case):
    return outcome(answer, *case).error


A, B = torch.zeros(2, 3), torch.zeros(4, 5)


@pytest.mark.parametrize(
    ("one", "two", "alike"),
    [
        (error(torch.matmul, A, B), error(torch.matmul, B, A), True),
        (error(torch.matmul, A, B), error(torch.add, A, B), False),
        (error(torch.add, A, B), error(torch.add, torch.zeros(7), torch.zeros(3, 8)), True),
        (error(torch.reshape, A, (5,)), error(torch.reshape, A, (5, 7, -3)), False),  # "invalid shape dimension -3"
        (error(torch.reshape, A, (5,)), error(torch.reshape, B, (3, 7)), True),
        (error(lambda: A.absent), error(lambda: A.missing), False),
        (error(lambda: {}["one"]), error(lambda: {}["two"]), True),
        (error(lambda x: x), error(lambda value: value), True),  # the name is the learner's own
        (error(lambda x: x, 1, 2), error(outcome), False),
        (ValueError("got <object at 0x7f12ab> here"), ValueError("got <object at 0x55a> here"), True),
        (ValueError("1"), TypeError("1"), False),
        (ValueError("x"), None, False),
        (None, None, True),
    ],
)
def test_errors_are_alike_when_their_messages_begin_alike(one, two, alike):
    assert raise_alike(one, two) is raise_alike(two, one) is alike


def test_an_error_of_another_cause_is_not_a_known_mistake():
    """In 0.1 a lost axis raises RuntimeError; so does a product of matrices that do not fit."""
    lost = examine(checks.find("0.1"), lambda scores: scores.exp() / scores.exp().sum(-1))
    product = examine(checks.find("0.1"), lambda scores: scores @ scores)
    assert (lost.mistake, product.mistake) == ("lost-axis", None)
    assert "the first has 5 and the second 4. (Python says: RuntimeError: mat1 and mat2" in product.message


def test_a_slip_that_a_wrong_value_gave_away_may_raise_in_other_words():
    def square_and_oblong(generator):
        return [(torch.randn(4, 4, generator=generator),), (torch.randn(3, 5, generator=generator),)]

    exercise = Exercise(
        "9.4",
        "gram",
        oracle=lambda rows: rows.T @ rows @ rows.T,
        inputs=square_and_oblong,
        mistakes=[Mistake("untransposed", lambda rows: rows @ rows @ rows, "untransposed")],
    )
    assert examine(exercise, lambda rows: torch.einsum("ij,jk,kl->il", rows, rows, rows)).mistake == "untransposed"
    assert examine(exercise, lambda rows: torch.einsum("ij,jk->ik", rows, rows)).mistake is None


class Plain:
    def __init__(self, number):
        self.number = number


class Slotted:
    __slots__ = ()


def advanced(seed, steps):
    generator = torch.Generator().manual_seed(seed)
    torch.rand(steps, generator=generator)
    return generator


def numbered(start):
    yield from range(start)


LAYER = torch.nn.Linear(2, 3)


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (Plain(1.0), Plain(1.0 + 1e-9), True),
        (Plain(1), Plain(2), False),
        (Plain([torch.ones(2)]), Plain([torch.ones(2)]), True),
        (Slotted(), Slotted(), False),
        (numbered(1), numbered(1), False),
        (object(), object(), False),
        (numbered, numbered, True),
        (LAYER, copy.deepcopy(LAYER), True),
        (LAYER, torch.nn.Linear(2, 3), False),
        (LAYER, copy.deepcopy(LAYER).eval(), False),
        (advanced(1, 3), advanced(1, 3), True),
        (advanced(1, 3), advanced(1, 4), False),
        ({1, 2}, {2, 1}, True),
        ("a", "b", False),
        (range(3), [0, 1, 2], False),
    ],
)
def test_objects_are_not_equal_by_their_type_alone(one, two, expected):
    assert equal(one, two, 1e-6) is equal(two, one, 1e-6) is expected
    assert equal(one, one, 0.0)


@pytest.mark.parametrize("change", [lambda layer: layer.weight.data.add_(1), lambda layer: layer.eval()])
def test_a_module_that_an_answer_changes_is_a_changed_argument(change):
    assert outcome(lambda layer: change(layer) and None, LAYER).changed
    assert not outcome(lambda layer: layer(torch.ones(1, 2)), LAYER).changed


@given(st.lists(st.integers(1, 4), max_size=4), st.randoms(use_true_random=False))
def test_the_largest_difference_is_found_where_it_is(shape, dice):
    expected = torch.zeros(shape)
    found = torch.full(shape, 0.5)
    place = tuple(dice.randrange(size) for size in shape)
    found[place] = -2.0
    said = describe_difference(found, expected)
    assert said.endswith("expected 0, got -2.")
    assert not shape or f"at index {place}:" in said


def halved(values):
    total = values.sum(-1) / 2
    return total + 1


def test_an_edit_changes_the_text_of_a_right_answer():
    made = edited(halved, {"whole": (" / 2", ""), "both": [(" / 2", ""), ("+ 1", "- 1")], "grown": ("+ 1", "+ 1 + 1")})
    values = torch.arange(6.0).view(2, 3)
    assert [one(values).tolist() for one in made.values()] == [[4.0, 13.0], [2.0, 11.0], [3.5, 8.0]]
    assert halved(values).tolist() == [2.5, 7.0]
    assert {one.right for one in made.values()} == {halved}


def test_an_edit_of_a_class_keeps_its_parents():
    doubled = edited(Doubling, {"tripled": ("2 *", "3 *")})["tripled"]
    assert isinstance(doubled(), torch.nn.Module) and doubled()(torch.ones(1)).tolist() == [3.0]


class Doubling(torch.nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, values):
        return 2 * values


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (("minus", ""), "slip: got 'minus' 0 times in halved, expected it once"),
        (("values", "x"), "slip: got 'values' 2 times in halved, expected it once"),
        ([(" / 2", ""), ("/ 2", "")], "slip: got '/ 2' 0 times"),
    ],
)
def test_an_edit_must_fit_exactly_once(edit, message):
    with pytest.raises(ValueError, match=message):
        edited(halved, {"slip": edit})
