"""The clinic: each patient has the one fault that it is said to have, and none can be taken for another."""

import itertools
import re
from functools import cache

import matplotlib.pyplot as plt
import nbformat
import pytest
import torch
from editions import ROOT

from course_utils.checks.bank import bank
from course_utils.checks.diagnosis import LABEL, Diagnosis
from course_utils.clinic import FAULTS, PATIENTS, chart, open_up, patient, report_on, symptom
from course_utils.clinic.gallery import WALL, gallery, tree
from course_utils.clinic.scoring import visitor
from course_utils.clinic.shop import hides, visit
from course_utils.contract import audit

BREAKS = {  # the clauses that the contract must find broken, no more and no less
    1: {"rows-sum-to-1"},
    2: {"hidden-key-weighs-0"},
    3: {"output-is-a-mixture", "future-changes-nothing"},
    4: {"rows-sum-to-1"},
    5: {"queries-are-apart"},
    6: {"any-number-of-keys", "key-moves-weights"},
    7: {"batch-is-apart"},
    8: {"any-number-of-keys", "queries-are-apart"},
    9: {"hidden-key-weighs-0"},
    10: {"key-moves-weights"},
    11: {"rows-sum-to-1"},
    12: {"empty-row-is-finite"},
    13: {"equals-pytorch"},
    14: {"half-precision"},
    15: {"gradient", "arguments-unchanged"},
    16: {"weights-are-used"},
    17: {"runs"},
    18: {"batch-is-apart"},
    19: {"step-by-step"},
    20: {"same-twice"},
}
BY_NUMBER = [pytest.param(one, id=f"{one.number}-{one.name}") for one in PATIENTS]


@cache
def report(number):
    return report_on(patient(number))


@cache
def lines(number):
    """What is printed of a symptom, in the way of one patient."""
    return tuple(patient(number).shows(patient(number).attention).lines)


def taken_for(number):
    """The wrong names that have a sentence of their own."""
    return [mistake.answer[LABEL] for mistake in bank("14")[f"14.{number}"].mistakes]


@pytest.mark.parametrize("one", BY_NUMBER)
def test_the_contract_finds_the_fault_and_nothing_else(one):
    assert set(report(one.number).failed) == BREAKS[one.number]


def test_twenty_patients_have_twenty_faults_of_the_list():
    assert [one.number for one in PATIENTS] == list(range(1, 21))
    assert len({one.fault for one in PATIENTS}) == len({one.name for one in PATIENTS}) == 20
    assert {one.fault for one in PATIENTS} < set(FAULTS)


def seen(number):
    """Everything that is shown of a patient: the lines of its symptom, and the report."""
    found = report(number)
    return lines(number), tuple((clause, found[clause].reason) for clause in found.failed), found.summary


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(range(1, 21), 2)))
def test_no_two_look_alike_in_symptom_and_in_report(one, other):
    assert lines(one) != lines(other)
    # and where the report is alike, the same instrument still tells them apart
    if set(report(one).failed) == set(report(other).failed):
        assert alike_in(one, other) is not True and alike_in(other, one) is not True


def alike_in(way, other):
    """Whether another patient shows the same lines in one patient's way; None where it cannot be examined so."""
    try:
        return tuple(patient(way).shows(patient(other).attention).lines) == lines(way)
    except Exception:  # another kind of attention takes other arguments
        return None


# Faults of the list that nobody here has; they are needed where somebody is taken for one who has them.


def over_the_batch(query, key, value):
    weights = torch.softmax(query @ key.mT / query.shape[-1] ** 0.5, dim=0)
    return weights @ value, weights


def without_root(query, key, value, mask=None):
    scores = query @ key.mT
    scores = scores if mask is None else scores.masked_fill(~mask, -torch.inf)
    weights = torch.softmax(scores, dim=-1).nan_to_num(0.0)
    return weights @ value, weights


def scores_of_hidden_are_0(query, key, value, mask=None):
    scores = query / query.shape[-1] ** 0.5 @ key.mT
    weights = torch.softmax(scores if mask is None else scores * mask, dim=-1)
    return weights @ value, weights


def same_for_every_query(query, key, value, mask=None):
    scores = key.sum(-1)[..., None, :].expand(-1, query.shape[-2], -1)
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights


ABSENT = {
    "softmax over the queries": (visitor, {"mask": None}),
    "softmax over the batch": (over_the_batch, {"mask": None}),
    "no root": (without_root, {}),
    "mask multiplied": (scores_of_hidden_are_0, {}),
    "blind to the query": (same_for_every_query, {"rule": None}),
}
OWN_WORDS = {"layer for one length", "padding counted as places", "the picture"}  # shown by what the sentence names


@cache
def clauses_of(fault):
    """The clauses that a fault breaks, and the first reason."""
    known = {one.fault: one.number for one in PATIENTS}
    if fault in known:
        return frozenset(report(known[fault]).failed)
    attention, declared = ABSENT[fault]
    return frozenset(audit(attention, show=False, **declared).failed)


def heads_with(query, key, value, heads, root=True, dim=-1):
    query, key, value = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (query, key, value))
    weights = torch.softmax(query @ key.mT / (query.shape[-1] ** 0.5 if root else 1), dim=dim)
    return (weights @ value).transpose(1, 2).flatten(2), weights


def first_basket_only(query, key, value, mask):
    scores = (query[:1] @ key[:1].mT / query.shape[-1] ** 0.5).masked_fill(~mask[0], -torch.inf)
    weights = torch.softmax(scores, dim=-1).expand(len(query), -1, -1, -1)
    return weights @ value, weights


def masks_of_one_head(query, key, value):
    mask = torch.ones(len(query), key.shape[1], dtype=torch.bool)
    context, weights = patient(18).attention(query[:, None], key[:, None], value[:, None], mask)
    return context[:, 0], weights[:, 0]


IN_ITS_WAY = {  # a fault in the form that a patient of another kind is examined in
    (4, "softmax over one thing"): lambda query, key, value, mask: patient(1).attention(query, key, value),
    (5, "softmax over the queries"): lambda *tensors: heads_with(*tensors, dim=-2),
    (7, "masks in the wrong order"): masks_of_one_head,
    (13, "no root"): lambda *tensors: heads_with(*tensors, root=False),
    (18, "first of the batch"): first_basket_only,
}
TAKEN = [(one.number, fault) for one in PATIENTS for fault in taken_for(one.number) if fault not in OWN_WORDS]


@pytest.mark.parametrize(("number", "fault"), TAKEN)
def test_a_wrong_diagnosis_would_show_otherwise(number, fault):
    """In the report; or, where the report is alike, in the patient's own way of showing."""
    if clauses_of(fault) != frozenset(report(number).failed):
        return
    known = {one.fault: one.attention for one in PATIENTS} | {name: made for name, (made, _) in ABSENT.items()}
    shown = patient(number).shows(IN_ITS_WAY.get((number, fault), known[fault]))
    assert tuple(shown.lines) != lines(number), f"{fault} shows what patient {number} shows"


@pytest.mark.parametrize("one", BY_NUMBER)
def test_every_name_of_the_list_gets_an_answer(one):
    exercise = bank("14")[f"14.{one.number}"]
    assert isinstance(exercise, Diagnosis) and len(exercise.mistakes) >= 3 and one.fault not in taken_for(one.number)
    told = {name: exercise.examine(name) for name in FAULTS}
    assert [name for name, verdict in told.items() if verdict.state == "passed"] == [one.fault]
    assert all(FAULTS[name] in verdict.message for name, verdict in told.items() if verdict.kind == "difference")
    assert len({verdict.message for verdict in told.values()}) == len(FAULTS)
    assert "not on the list" in exercise.examine("a cold").message
    assert exercise.examine(...).state == exercise.examine(None).state == "not yet"
    assert exercise.examine(3).kind == "form"


# What the sentences say of the patients in numbers.


def test_what_the_sentences_say_is_so():
    query, key, value = visit()
    generous = patient(1).attention(query, key, value)[1][0]
    assert torch.equal(generous, torch.ones(3, 4))  # each column sums to 3
    assert torch.equal(over_the_batch(query, key, value)[1][0], generous)  # the same map; the report tells
    assert clauses_of("softmax over the batch") == {"batch-is-apart"}
    loud = patient(11).attention(query, key, value)[1][0]
    assert loud.max() > 1 and loud.sum(-1).min() > 2
    assert without_root(query, key, value)[1].sum(-1).allclose(torch.ones(1, 3))
    assert patient(8).attention(query, key, value)[0].shape[1] == 4
    copied = [patient(7).attention(*(torch.cat([x, x.flip(1)]) for x in visit()))[1]][0]
    assert torch.equal(copied[0], copied[1])
    mask = hides(0, 2)
    assert patient(9).attention(query, key, value, mask)[1][~mask].sum().isclose(torch.tensor(3.0))
    assert patient(16).attention(query, key, value, hides(0))[1][0, :, 0].max().item() == pytest.approx(0.668, abs=1e-3)
    with pytest.raises(RuntimeError, match="overflow"):
        patient(14).attention(*(x.half() for x in visit()), mask)
    for number, kept in {3: "same-twice", 9: "weights-are-used", 13: "queries-are-apart", 19: "future-changes-nothing",
                         15: "same-twice", 6: "query-moves-weights", 20: "arguments-unchanged"}.items():  # fmt: skip
        assert kept not in report(number).failed


def test_symptom_chart_and_code_are_shown(capsys):
    for one in PATIENTS:
        symptom(one.number)
        chart(f"14.{one.number}")
        plt.close("all")
        printed = capsys.readouterr().out
        assert one.complaint in printed and all(clause in printed for clause in BREAKS[one.number])
        assert one.fault not in printed and ".py" not in printed and "c10::" not in printed
        for closed in ("", ..., "a cold"):
            open_up(one.number, closed)
            assert "def " not in capsys.readouterr().out
        open_up(one.number, one.fault)
        assert f"def {one.attention.__name__}" in capsys.readouterr().out
        open_up(one.name, "I give up")
        assert capsys.readouterr().out.startswith(one.fault)


def test_the_code_names_no_fault():
    """Nothing in a patient's own text says what is wrong with it."""
    import inspect

    for one in PATIENTS:
        text = inspect.getsource(one.attention)
        assert one.fault not in text and "#" not in text.replace("# (batch", ""), one.name


def test_a_patient_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="which: got 21"):
        patient(21)
    assert (
        patient("14.3") is patient(3) is patient("the exam cheat") and repr(patient(3)) == "<patient 3, the exam cheat>"
    )


def test_both_pictures_are_drawn_and_tell_no_cause():
    gallery()
    titles = [ax.get_title(loc="left") for ax in plt.gcf().axes if ax.get_title(loc="left")]
    assert titles == [words for *_, words in WALL] and not set(titles) & set(FAULTS)
    tree()
    plt.close("all")


# The balance: each row of the lesson's table names a cell that measured it, and its numbers stand there.


def rows_of_the_balance():
    text = (ROOT / "lessons/14_clinic.md").read_text("utf-8")
    return re.findall(
        r"^\| ([+−] [\w ]+) \| (.+) \| \[(\d\d)\]\(\.\./(notebooks/\w+\.ipynb)\) `([\w-]+)` \|$", text, re.M
    )


def test_the_balance_has_eight_rows():
    assert [row[0][0] for row in rows_of_the_balance()] == ["+"] * 4 + ["−"] * 4


@pytest.mark.parametrize("row", rows_of_the_balance(), ids=lambda row: row[0])
def test_a_row_of_the_balance_says_what_its_cell_found(row):
    _, found, lesson, path, name = row
    assert path.startswith(f"notebooks/{lesson}_")
    cells = {cell.id: cell for cell in nbformat.read(ROOT / path, as_version=4).cells}
    assert name in cells, f"{path} has no cell {name}"
    cell = cells[name]
    steady = re.sub(r"≈ *-?[\d.]+", "", "".join(output.get("text", "") for output in cell.outputs))
    for number in re.findall(r"\d+(?:\.\d+)?", found):
        assert re.search(rf"(?<![\d.]){re.escape(number)}(?!\.?\d)", steady + cell.source), (
            f"{name} does not say {number}"
        )


def test_a_context_that_is_not_made_of_its_map_is_told_so_however_it_draws():
    def by_hand(query, key, value, rate, training):
        weights = (query @ key.mT / query.shape[-1] ** 0.5).softmax(-1)
        kept = torch.rand_like(weights) >= rate
        used = weights * kept / (1 - rate) if training and rate < 1 else weights * (not (training and rate == 1))
        return weights @ value if training and 0 < rate < 1 else used @ value, used

    said = bank("14")["14.40"].examine(by_hand, torch.Generator().manual_seed(0))
    assert said.state == "wrong" and "the returned weights times the values" in said.message
