"""Which single step is wrong: what a check finds by changing one step of an answer, and what it then says."""

import linecache
import math
import threading

import pytest
import torch

from course_utils.checks import Exercise
from course_utils.checks.bank import bank
from course_utils.checks.changes import changes, compiled, tree_of
from course_utils.checks.compare import run
from course_utils.checks.steps import slip


def mixed(scores):
    powers = torch.exp(scores) + scores.tanh()
    return powers / (1 + (scores + scores.sum(-1, keepdim=True)).abs())


def drawn(generator):
    return [(torch.randn(3, 5, generator=generator),), (torch.randn(2, 4, 7, generator=generator),)]


MIXED = Exercise("0.0", "Mixed", oracle=mixed, inputs=drawn, mistakes=[])


def verdict(answer, exercise=MIXED):
    return exercise.examine(answer, torch.Generator().manual_seed(0))


def from_a_cell(text, name):
    """What a notebook's cell defines: its text is known to linecache under a name that is no file."""
    file, scope = f"<cell {hash(text)}>", {"__name__": __name__, "torch": torch, "math": math}
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), scope)
    return scope[name]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("powers = torch.exp(scores) - scores.tanh()", "another sign than `-`"),
        ("powers = torch.exp(scores) + scores.tanh().tanh()", "no step `tanh`"),
        ("powers = torch.exp(scores) + scores.tanh() / 2", "one side of the `/` alone"),
        ("powers = torch.exp(-scores) + scores.tanh()", "no `-`"),
        ("size = 2 + (scores + scores.sum(-1, keepdim=True)).abs()", "another number than 2"),
        ("size = 1 + (scores + scores.sum(-2, keepdim=True)).abs()", "another number than -2"),
        ("size = 1 + (scores + scores.mean(-1, keepdim=True)).abs()", "another function than `mean`"),
        ("size = 1 + (scores + scores.sum(-1, keepdim=False)).abs()", "another number than False"),
        ("result = torch.div(size, powers)", "two arguments of `div` in each other's place"),
        ("result = powers / size.square()", "no step `square`"),
        ("result = size / powers", "the two sides of the `/` in each other's place"),
    ],
)
def test_a_step_of_ones_own_that_is_wrong_is_found_with_its_line(line, said):
    lines = {
        "powers": "powers = torch.exp(scores) + scores.tanh()",
        "size": "size = 1 + (scores + scores.sum(-1, keepdim=True)).abs()",
        "result": "result = powers / size",
    }
    lines[line.split()[0]] = line
    text = "\n    ".join(["def weights(scores):", *lines.values(), "return result"])
    found = verdict(from_a_cell(text + "\n", "weights"))
    if "each other" in said and found.kind == "relation":  # the reciprocal is known without a search
        assert "`reciprocal`" in found.message
        return
    assert found.kind == "culprit"
    assert found.message.endswith(f"One change in the line `{line}` is enough to make your answer right: {said}.")
    assert verdict(found.evidence).state == "passed"


def test_a_line_of_a_class_in_a_cell_is_found_too():
    text = """
class Weights(torch.nn.Module):
    def forward(self, scores):
        powers = torch.exp(scores) + scores.tanh()
        return powers / (1 + (scores + scores.sum(-2, keepdim=True)).abs())
"""
    exercise = Exercise("0.0", "Mixed", mixed, drawn, [], call=lambda answer, scores: answer()(scores))
    found = verdict(from_a_cell(text, "Weights"), exercise)
    assert (
        found.kind == "culprit"
        and "`return powers / (1 + (scores + scores.sum(-2, keepdim=True)).abs())`" in found.message
    )


def test_a_slip_is_named_in_another_style():
    def weights(scores):  # nowhere one change away from a right answer, and yet its slip is one change
        out = []
        for row in scores.reshape(-1, scores.shape[-1]).tolist():
            sizes = [abs(x + sum(row)) + 1 for x in row]
            out.append([(math.e**x + math.tanh(x)) * size**0.5 * size**0.5 for x, size in zip(row, sizes, strict=True)])
        return torch.tensor(out).view(scores.shape)

    found = verdict(weights)
    assert found.kind == "slip" and "with `*` in the place of `/`" in found.message
    cases = drawn(torch.Generator().manual_seed(7))
    assert all(torch.allclose(found.evidence(*case), weights(*case), atol=1e-3) for case in cases)


def test_what_is_far_from_right_is_told_no_step():
    def weights(scores):
        return scores.sort(-1).values.cumsum(-1) ** 3

    assert verdict(weights).kind == "difference" and verdict(weights).evidence is None


def test_an_answer_that_raises_is_told_the_step():
    def weights(scores):
        return (scores.exp() + scores.tanh()) / (1 + (scores + torch.sum(-1, scores, keepdim=True)).abs())

    found = verdict(weights)
    assert found.kind == "culprit" and "two arguments of `sum` in each other's place" in found.message


def test_a_changed_loop_without_end_is_left(monkeypatch):
    from course_utils.checks import steps

    monkeypatch.setattr(steps, "SECONDS", 0.2)

    def weights(scores):
        number = 0
        while number < 3:  # `>` never begins; with `-` in the next line it never ends
            number = number + 1
        return scores**number

    before = threading.active_count()
    assert verdict(weights).state == "wrong"
    assert threading.active_count() == before


def test_changes_leave_the_answer_and_its_names_alone():
    names = dict(globals())
    tree = tree_of(mixed)
    made = [compiled(change.tree, mixed) for change in changes(tree)]
    assert len(made) > 10 and globals() == names and mixed is names["mixed"]
    assert verdict(mixed).state == "passed"


def test_decorators_do_not_run_again():
    kept = []

    @kept.append
    def weights(scores):
        return scores.exp() - scores.tanh()

    assert verdict(kept[0]).state == "wrong" and len(kept) == 1


def test_every_change_changes_something():
    import ast

    tree = tree_of(mixed)
    texts = [ast.unparse(change.tree) for change in changes(tree)]
    assert ast.unparse(tree) not in texts


def below(scores, at):
    return (scores.sort(-1).values < at).double().cumsum(-1)


def at_drawn(generator):
    return [(torch.randn(3, 5, generator=generator), at) for at in (-1, 1)]


BELOW = Exercise("0.1", "Below", oracle=below, inputs=at_drawn, mistakes=[])


def test_true_and_false_of_a_number_are_not_exchanged():
    found = verdict(lambda scores, at: (scores.sort(-1).values < -(at + 1)).double().cumsum(-1), BELOW)
    assert found.state == "wrong" and "True and False" not in found.message, found.message


def rooted(scores):
    return torch.sqrt(1 + scores.sigmoid())  # with −1 in place of 1 nan everywhere


def test_two_answers_that_are_nan_everywhere_share_no_mistake():
    cases = drawn(torch.Generator().manual_seed(0))
    outcomes = [run(lambda scores: scores * math.nan, case, None, 0) for case in cases]
    assert slip([rooted], cases, outcomes, None, 1e-4) == ("", None)


def test_no_slip_is_told_by_a_name_that_only_a_bank_knows():
    def _doubled(scores):
        return scores * 2

    def right(scores):
        return _doubled(scores).tanh() + 1

    def without(scores):
        return torch.add(scores.tanh(), 1)

    cases = drawn(torch.Generator().manual_seed(0))
    outcomes = [run(without, case, None, 0) for case in cases]
    assert slip([right], cases, outcomes, None, 1e-4) == ("", None)


def test_a_step_that_fresh_draws_refute_is_not_said():
    def flattened(scores):
        return scores.tanh() + 1

    cases = drawn(torch.Generator().manual_seed(0))
    outcomes = [run(torch.tanh, case, None, 0) for case in cases]
    said, _ = slip([flattened], cases, outcomes, None, 1e-4)
    assert said
    assert slip([flattened], cases, outcomes, None, 1e-4, lambda found: False) == ("", None)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_nearly_nothing_on_most_draws_is_not_taken_for_nothing(seed):
    rotary = bank("05")["5.4"]  # a right answer's powers with their sides swapped turn by nearly nothing, mostly
    found = rotary.examine(lambda inputs, base: inputs.clone(), torch.Generator().manual_seed(seed))
    assert found.state == "wrong" and "`**`" not in found.message, found.message


def test_an_oracle_that_does_another_task_tells_no_slip():
    def gradient_by_hand(scores):
        return torch.exp(scores) - scores.sigmoid()

    def gradient(answer, scores):
        leaf = scores.clone().requires_grad_()
        answer(leaf).sum().backward()
        return leaf.grad

    learned = Exercise("0.2", "A sum", oracle=gradient_by_hand, inputs=drawn, mistakes=[], call=gradient)
    assert verdict(lambda scores: torch.exp(scores) - torch.nn.functional.softplus(scores), learned).state == "passed"
    found = verdict(lambda scores: torch.exp(scores), learned)
    assert found.state == "wrong" and "a right one" not in found.message, found.message
