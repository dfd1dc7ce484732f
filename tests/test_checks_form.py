"""Form before content: what keeps an answer from running is said in a sentence of its own, and never in ours."""

import sys
import threading
import time
from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.attention import attend
from course_utils.checks import Exercise, Mistake, Witness, limits
from course_utils.checks.bank import bank
from course_utils.checks.limits import TimeUp, within
from course_utils.checks.verdicts import Requirement


def numbers(generator):
    return [(torch.randn(3, 4, generator=generator),), (torch.randn(2, 5, generator=generator),)]


DOUBLE = Exercise(
    "9.1", "double", oracle=lambda x: 2 * x, inputs=numbers, mistakes=[Mistake("same", lambda x: x, "the same")]
)
PAIR = Exercise("9.2", "pair", oracle=lambda x: (x + 1, x - 1), inputs=numbers, mistakes=[], results=("more", "less"))
MASK = Exercise("9.3", "mask", oracle=lambda x: x > 0, inputs=numbers, mistakes=[])


def in_two_steps(answer, x):
    made = answer(3)
    return {"twice": made.twice(x).mul(1.0), "called": made(x)}


STEPS = Exercise(
    "9.4", "steps", oracle=lambda x: {"twice": 2 * x, "called": 3 * x}, inputs=numbers, mistakes=[], call=in_two_steps
)


class Right(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def twice(self, x):
        return 2 * x

    def forward(self, x):
        return self.factor * x


def like_right(**changed):
    methods = {name: method for name, method in vars(Right).items() if name in ("__init__", "twice", "forward")}
    body = {name: method for name, method in (methods | changed).items() if method is not None}
    made = type("Mine", (nn.Module,), body)
    made.__init__ = changed.get(
        "__init__", lambda self, factor: (nn.Module.__init__(self), setattr(self, "factor", factor))[0]
    )
    return made


def examine(exercise, answer):
    return exercise.examine(answer, torch.Generator().manual_seed(1))


def yields(x):
    yield 2 * x


async def waits(x):
    return 2 * x


def leaves(x):
    sys.exit(3)


def interrupts(x):
    raise KeyboardInterrupt


def deep(x):
    return deep(x)


def early(x):
    y = z + x  # noqa: F821 - the mistake itself
    z = 2  # noqa: F841
    return y


def detached(x):
    x = x.clone().requires_grad_()
    (2 * x).detach().sum().backward()


def forgets(x):
    2 * x


def nothing(self, x):
    2 * x


def stub(self, x): ...


@pytest.mark.parametrize(
    ("exercise", "answer", "words"),
    [
        (DOUBLE, yields, "holds `yield`"),
        (DOUBLE, waits, "begins with `async`"),
        (DOUBLE, lambda x: (2 * row for row in x), "holds `yield`"),
        (DOUBLE, leaves, "leaves Python (SystemExit)"),
        (DOUBLE, interrupts, "leaves Python (KeyboardInterrupt)"),
        (DOUBLE, lambda x: exit(), "leaves Python (SystemExit)"),
        (DOUBLE, lambda x, y: 2 * x, "`lambda(x, y)` does not fit the call: missing 1 required"),
        (DOUBLE, lambda x: 2 * absent, "The name `absent` does not exist"),  # noqa: F821
        (DOUBLE, early, "`z` is used before it gets a value in the line `y = z + x"),
        (DOUBLE, deep, "calls itself without end"),
        (DOUBLE, lambda x: x @ torch.ones(x.shape[-1], 2).double(), "Numbers of two types meet"),
        (DOUBLE, detached, "The way back for gradients is cut"),
        (DOUBLE, lambda x: (2 * x).to("meta"), "on two devices"),
        (DOUBLE, torch.ones(3), "needs the function itself, but got a tensor of shape (3,)"),
        (DOUBLE, {"a": torch.ones(3)}, "needs the function itself, but got a dict of 1"),
        (DOUBLE, lambda x: [2 * row for row in x], "they stand in a list"),
        (DOUBLE, lambda x: (2 * x).tolist(), "they stand in a list"),
        (DOUBLE, lambda x: (2 * x, x), "a tuple of 2, and number 1 of it alone is right"),
        (DOUBLE, forgets, "did you forget `return`"),
        (MASK, lambda x: (x > 0).float(), "a mask holds True and False"),
        (PAIR, lambda x: torch.stack([x + 1, x - 1]), "stand in one tensor"),
        (PAIR, lambda x: {"more": x + 1, "less": x - 1}, "stand in a dict"),
        (PAIR, lambda x: (x - 1, x + 1), "in the opposite order"),
        (PAIR, lambda x: (x + 1, x[:1]), "`less`: expected the shape"),
        (STEPS, like_right(foward=Right.forward, forward=None), "has no `forward`, but it has `foward`: did you mean"),
        (STEPS, like_right(forward=None), "has no `forward`; the task asks for one"),
        (STEPS, like_right(twise=Right.twice, twice=None), "has no `twice`, but it has `twise`"),
        (STEPS, like_right(twice=nothing), "returns None: did you forget `return`"),
        (STEPS, like_right(twice=lambda self: 2), "does not fit the call"),
        (STEPS, like_right(twice=lambda self, x: 3 * x), "`twice`"),
    ],
)
def test_form_has_a_sentence_of_its_own(exercise, answer, words):
    verdict = examine(exercise, answer)
    assert verdict.state != "passed" and words in verdict.message, verdict.message
    assert "made." not in verdict.message and "tensor([" not in verdict.message and "pickle" not in verdict.message


def test_what_is_right_in_another_form_passes():
    for answer in (lambda x: (2 * x).double(), lambda x: (2 * x).numpy(), lambda x: (2 * x).requires_grad_()):
        assert examine(DOUBLE, answer).state == "passed"
    assert examine(PAIR, lambda x: [x + 1, x - 1]).state == "passed"
    assert examine(STEPS, Right).state == "passed"


def test_a_class_with_a_method_to_write_says_which_and_one_that_needs_it_not_passes():
    verdict = examine(STEPS, like_right(twice=stub))
    assert verdict.state == "not yet" and "`twice`" in verdict.message
    assert examine(STEPS, like_right(extra=stub)).state == "passed"
    assert "Write your answer" in examine(STEPS, like_right(twice=stub, forward=stub)).message


def forever(x):
    while True:
        pass


def stubborn(x):
    while True:
        try:  # noqa: SIM105
            time.sleep(0.01)
        except BaseException:  # as learners write it
            pass


def test_an_endless_loop_ends_with_a_sentence(monkeypatch):
    monkeypatch.setattr(limits, "SECONDS", 0.5)
    threads = threading.active_count()
    assert "had not ended after 0.5 seconds, and was stopped" in examine(DOUBLE, forever).message
    assert threading.active_count() == threads
    loop = Witness("9.5", "loop", [Requirement("ends", lambda answer: answer(1), "must end")])
    assert "had not ended" in loop.examine(forever).message


def test_what_cannot_be_stopped_is_left_behind(monkeypatch):
    monkeypatch.setattr(limits, "GRACE", 0.3)
    released = threading.Event()
    with pytest.raises(TimeUp) as late:
        within(released.wait, 0.2)
    assert not late.value.ended
    released.set()


def test_a_crowded_machine_is_given_more_time():
    assert within(lambda: time.sleep(0.5) or "done", 0.1, 60.0) == "done"  # it computes nothing, as if it had to wait


def test_work_within_the_limit_is_as_in_the_callers_own_thread():
    with torch.no_grad():
        assert within(torch.is_grad_enabled) is False
    assert within(torch.is_grad_enabled) is True
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        within(lambda: np.ones(1) / np.zeros(1))
    with pytest.raises(KeyError, match="lost"):
        within(lambda: {}["lost"])


def test_nan_is_blamed_on_no_requirement():
    ordered = Witness(
        "9.6",
        "ordered",
        [
            Requirement("two", lambda answer: len(answer) == 2, "give two"),
            Requirement("larger", lambda answer: answer[0] > answer[1], "the first must be larger"),
        ],
    )
    assert "holds nan" in ordered.examine((float("nan"), 1.0)).message
    assert "holds nan" in ordered.examine(torch.tensor([1.0, torch.nan])).message
    assert ordered.examine((1.0, 2.0)).mistake == "larger"
    assert ordered.examine((float("nan"),)).mistake == "two"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: x @ x, "A product does not fit in the line"),
        (lambda x: x[None] @ x[None], "A product does not fit in the line"),
        (lambda x: x + torch.ones(7), "Two shapes do not fit"),
        (lambda x: x.sum(5), "There is no axis 5"),
        (lambda x: x[99], "The index 99 is too large"),
        (lambda x: x.view(7, 11), "numbers cannot take the shape [7, 11]"),
        (lambda x: torch.einsum("ijk->i", x), "The letters of your `einsum`"),
        (lambda x: torch.cat([x, torch.ones(50, 9)]), "cannot be joined like this"),
        (lambda x: x.unflatten(-1, (9, 9)), "whose product is not its length"),
        (lambda x: x[0, 0, 0], "another number of axes"),
        (lambda x: torch.stack([]), "An empty list is joined"),
        (lambda x: x if x > 0 else -x, "Several numbers stand where one is needed"),
        (lambda x: x.doubled(), "Something of yours has no `doubled`"),
        (lambda x: [1, 2][9], "beyond the end of a list"),
        (lambda x: x * (1 / 0), "divided by zero"),
        (lambda x: torch.nn.Linear(3, 2).weight.mul_(2), "inside `with torch.no_grad():`"),
        (lambda x: setattr(torch.nn.Linear(3, 2), "weight", x), "in the place of the parameter `weight`"),
        (lambda x: x[None].mT.view(-1), "`reshape` can"),
        (lambda x: Counter([list(x)]), "A list is counted"),
    ],
)
def test_common_errors_are_said_in_plain_words_and_in_pythons(answer, words):
    verdict = examine(DOUBLE, answer)
    assert verdict.kind == "misfit" and words in verdict.message and "(Python says: " in verdict.message


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (lambda x: attend(x[None], x[None, :, :1], x[None])[0], "x[None, :, :1]"),  # raised in the course's own code
        (lambda x: Counter([list(x)]), "Counter([list(x)])"),  # raised in Python's library
    ],
)
def test_the_line_that_is_quoted_is_the_learners(answer, line):
    message = examine(DOUBLE, answer).message
    assert " in the line `" in message and line in message, message


def test_a_result_in_a_dict_is_called_by_its_key_whatever_that_is():
    shares = Exercise("9.7", "curve", oracle=lambda x: {0.25: x, 1.0: x + 1}, inputs=numbers, mistakes=[])
    message = examine(shares, lambda x: {0.25: x, 1.0: x + 1.5 * x.sin()}).message
    assert "`1.0`: the largest difference" in message and "Result" not in message, message


def test_an_answer_without_return_and_a_layer_of_another_name_are_told_as_that():
    class Joined(nn.Module):
        def __init__(self, query_size, value_size, output_size):
            super().__init__()
            self.project = nn.Linear(query_size + value_size, output_size)

        def forward(self, query, key, value):
            return self.project(query)

    copied = bank("06")["6.3"].examine(lambda theirs: print(theirs.num_heads), torch.Generator().manual_seed(0))
    assert copied.state == "not yet" and "return" in copied.message, copied
    joined = bank("02")["2.6"].examine(Joined, torch.Generator().manual_seed(0))
    assert joined.kind == "form" and "has no `projection`" in joined.message, joined


def test_a_witness_that_is_half_done_is_not_yet_and_a_name_that_is_missing_is_said():
    witness = Witness(
        "9.6",
        "two numbers",
        [
            Requirement("less", lambda answer: answer["less"] < 0, "`less` must be below 0"),
            Requirement("more", lambda answer: answer["more"] > 0, "`more` must be above 0"),
        ],
    )
    for half, name in (({"less": -1, "more": ...}, "`more`"), ({"less": ..., "more": 1}, "`less`")):
        verdict = witness.examine(half)
        assert verdict.state == "not yet" and name in verdict.message
        assert ("`less`" in verdict.message) != ("`more`" in verdict.message)
    verdict = witness.examine({"less": -1})
    assert (verdict.state, verdict.mistake) == ("wrong", None)
    assert "`more`" in verdict.message and "`less`" not in verdict.message
    assert witness.examine({"less": -1, "more": 1}).state == "passed"
    assert witness.examine({"less": 1, "more": 1}).mistake == "less"
    inside = Witness("9.7", "inside", [Requirement("found", lambda answer: {}[answer["less"]], "must be found")])
    assert "could not read" in inside.examine({"less": "less"}).message  # this KeyError is not about a name's absence


def test_memory_that_nothing_was_written_to_never_holds_the_right_numbers_by_chance():
    def last_column_forgotten(scores):
        torch.softmax(scores, -1)  # its memory is free again, and holds the right numbers
        result = torch.empty_like(scores)
        result[..., :-1] = torch.softmax(scores, -1)[..., :-1]
        return result

    softmax = bank("00")["0.1"]
    before = torch.get_deterministic_debug_mode(), torch.utils.deterministic.fill_uninitialized_memory
    for seed in range(5):
        found = softmax.examine(last_column_forgotten, torch.Generator().manual_seed(seed))
        assert (found.state, found.kind) == ("wrong", "nan") and "torch.empty" in found.message, found
    assert before == (torch.get_deterministic_debug_mode(), torch.utils.deterministic.fill_uninitialized_memory)
