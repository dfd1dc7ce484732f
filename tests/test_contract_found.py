"""Undeclared attentions: the contract finds how they want to be called, or says in a sentence what to pass."""

import inspect
import json
import os
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_utils.attention import attend
from course_utils.contract import CLAUSES, audit
from course_utils.contract.__main__ import main
from course_utils.contract.clauses.order import AFTER
from course_utils.contract.reading import orders, read_signature
from course_utils.contract.reference import from_projections


class ValueFirst(nn.Module):
    """The order, the mask of four axes and the fill of a widely copied tutorial."""

    def __init__(self):
        super().__init__()
        self.heads, self.embed_size = 4, 16
        self.values, self.keys, self.queries, self.fc_out = (nn.Linear(16, 16) for _ in range(4))

    def forward(self, values, keys, query, mask):
        value, key, query = (
            layer(x).unflatten(-1, (4, 4)).transpose(1, 2)
            for layer, x in ((self.values, values), (self.keys, keys), (self.queries, query))
        )
        scores = query @ key.transpose(-2, -1)
        if mask is not None:
            scores = scores.masked_fill(mask == 0, -1e20)
        return self.fc_out((torch.softmax(scores / 2, -1) @ value).transpose(1, 2).flatten(2))


class CausalFromOneSource(nn.Module):
    def __init__(self):
        super().__init__()
        self.n_head, self.n_embd = 2, 8
        self.c_attn, self.c_proj = nn.Linear(8, 24), nn.Linear(8, 8)

    def forward(self, x):
        query, key, value = (part.unflatten(-1, (2, 4)).transpose(1, 2) for part in self.c_attn(x).chunk(3, -1))
        return self.c_proj(F.scaled_dot_product_attention(query, key, value, is_causal=True).transpose(1, 2).flatten(2))


def with_lengths(queries, keys, values, valid_lens=None):
    seen = None if valid_lens is None else (torch.arange(keys.shape[1]) < valid_lens[:, None])[:, None]
    return attend(queries, keys, values, seen)[0]


def length_first(q, k, v, key_padding_mask=None):
    seen = None if key_padding_mask is None else ~key_padding_mask[:, None]
    context, weights = attend(*(tensor.transpose(0, 1) for tensor in (q, k, v)), seen)
    return context.transpose(0, 1), weights


def of_a_memory(query, memory):
    return attend(query, memory, memory)


def with_heads(q, k, v, attn_mask=None):
    scores = q / q.shape[-1] ** 0.5 @ k.transpose(-2, -1)
    return torch.softmax(scores if attn_mask is None else scores + attn_mask, -1) @ v, None, "more"


UNDECLARED = [
    (ValueFirst(), {"order": "value key query", "mask_name": "mask", "size": 16, "heads": 4, "projects": True}),
    (CausalFromOneSource(), {"order": "source", "causal": True, "size": 8, "mask": None, "heads": 2}),
    (with_lengths, {"mask": "lengths", "mask_name": "valid_lens", "returns": "context"}),
    (length_first, {"layout": "length batch size", "mask": "hidden", "mask_name": "key_padding_mask"}),
    (of_a_memory, {"order": "query memory", "mask": None, "returns": "context weights"}),
    (with_heads, {"mask": "additive", "mask_name": "attn_mask", "returns": "first"}),
]


@pytest.mark.parametrize(("attention", "expected"), UNDECLARED, ids=lambda one: getattr(one, "__name__", None))
def test_the_convention_is_found_and_its_declaration_can_be_copied(attention, expected):
    report = audit(attention, name="theirs", show=False)
    assert report.found and "runs" in report.passed, report
    assert {name: getattr(report.convention, name) for name in expected} == expected
    assert f"  {report.declaration}" in str(report).splitlines()
    again = eval(report.declaration, {"audit": lambda it, **said: audit(it, show=False, **said), "theirs": attention})
    assert again.convention == report.convention and not again.found
    assert [one.state for one in again.results] == [one.state for one in report.results]


def test_what_is_declared_stays_as_it_is():
    report = audit(with_lengths, show=False, mask=None)
    assert report.found and report.convention.mask is None and report.convention.returns == "context"


def test_one_that_runs_as_it_is_keeps_this_course_s_convention():
    assert not audit(attend, show=False).found
    report = audit(
        lambda query, key, value, mask=None: attend(query, key, value, None if mask is None else ~mask), show=False
    )
    assert not report.found and report.failed == ["hidden-key-weighs-0"]  # a fault is not taken for a convention


def test_a_sentence_says_what_else_it_needs():
    def rotated(query, key, value, rotation):
        return attend(query, key, value * rotation)

    report = audit(rotated, show=False)
    assert report.failed == ["runs"] and len(report.not_tried) == len(report.results) - 1
    assert 'declare arguments={"rotation": …} (in a shell: --argument rotation=…)' in report.tried
    assert audit(rotated, show=False, arguments={"rotation": 1.0}).failed == []


def test_a_sentence_says_what_was_tried():
    def never(query, key, value):
        raise RuntimeError("no")

    report = audit(never, show=False)
    assert report.failed == ["runs"] and "Declare what you know: order" in report.tried
    assert "conventions were tried, none ran; the likeliest: It raised RuntimeError: no." in report.tried
    assert "It raised RuntimeError: no (test_contract_found.py, line" in report["runs"].reason


def test_a_sentence_names_what_may_be_missing():
    """The table of angles has None for its default, and is needed all the same."""

    def rotated(hidden_states, angles=None):
        return attend(hidden_states * angles[0], hidden_states * angles[0], hidden_states)

    report = audit(rotated, show=False)
    assert "TypeError: 'NoneType' object is not subscriptable. It may also want angles" in report.tried


def test_names_tell_the_order():
    assert orders(read_signature(lambda k, v, q: None))[0] == "key value query"
    assert orders(read_signature(lambda hidden_states, attention_mask=None: None)) == ["source"]
    assert orders(read_signature(lambda hidden_states, encoder_hidden_states=None: None))[0] == "source"
    assert (
        read_signature(lambda x, n, mask: None).wanted == []
        and read_signature(F.scaled_dot_product_attention).known is False
    )


# --- new declarations ---


def test_a_window_that_is_declared():
    def banded(query, key, value):
        near = (torch.arange(key.shape[-2]) - torch.arange(query.shape[-2])[:, None]).abs() <= 2
        return attend(query, key, value, near)

    assert not audit(banded, show=False, mask=None, window=2).failed
    assert audit(banded, show=False, mask=None, window=1).failed == ["window-is-kept"]


def test_differential_attention_is_declared_as_a_difference():
    def difference(query, key, value, mask=None):
        one, two = attend(query, key, value, mask), attend(query, key.flip(-1), value, mask)
        return one[0] - 0.5 * two[0], one[1] - 0.5 * two[1]

    assert audit(difference, show=False, rule=None).failed == ["rows-sum-to-1"]
    report = audit(difference, show=False, rule=None, mixing="difference")
    assert not report.failed and "no-negative-weight" in report.not_applicable, report


def test_free_weights_are_tested_for_leaks_all_the_same():
    def sigmoid(query, key, value, mask=None):
        weights = (query @ key.transpose(-2, -1)).sigmoid()
        return weights @ value, weights

    assert "future-changes-nothing" in audit(sigmoid, show=False, rule=None, mixing="free", mask=None).not_applicable
    assert audit(sigmoid, show=False, rule=None, mixing="free").failed == ["hidden-key-weighs-0"]


def test_the_module_of_pytorch_against_its_own_projections():
    torch.manual_seed(0)
    module = nn.MultiheadAttention(12, 3, batch_first=True)
    report = audit(module, show=False, reference="projections")
    assert "equals-pytorch" in report.passed and report.failed == ["empty-row-is-finite"]
    with pytest.raises(ValueError, match="no layer for the key and the query and the value among: c"):
        audit(Nameless(), reference="projections")


class Nameless(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Identity()


def test_a_value_size_that_is_declared_limits_no_clause():
    """The weights that are used are read in several calls, where the values hold fewer numbers than there are keys."""

    def two(query, key, value, mask=None):
        assert value.shape[-1] == 2
        return attend(query, key, value, mask)

    report = audit(two, show=False, size=2)
    assert not report.failed and "weights-are-used" in report.passed


# --- the command ---


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong_syntax.py").write_text("def attention(query, key, value:\n")
    (tmp_path / "wrong_build.py").write_text("class Attention:\n    def __init__(self, size):\n        size / 0\n")
    (tmp_path / "theirs_here.py").write_text(
        "import torch\n\ndef attention(k, v, q):\n    return torch.softmax(q @ k.mT / k.shape[-1] ** 0.5, -1) @ v\n\n"
        "def right(query, key, value, mask=None):\n    return attention(key, value, query)\n"
    )
    yield tmp_path
    for name in ("wrong_syntax", "wrong_build", "theirs_here"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["wrong_syntax:attention"], ["raised while it was imported", "wrong_syntax.py", "SyntaxError"]),
        (["wrong_build:Attention", "--build", "4"], ["building it with '4' raised", "line 3", "ZeroDivisionError"]),
    ],
)
def test_an_error_of_theirs_is_shown_as_theirs(folder, arguments, words, capsys):
    assert main(arguments) == 3
    shown = capsys.readouterr().err
    assert all(word in shown for word in words) and "contract/" not in shown


def test_the_command_finds_the_convention_and_prints_the_options(folder, capsys):
    assert main(["theirs_here:attention"]) == 1  # products that are scaled too late
    printed = capsys.readouterr().out
    assert '  audit(attention, order="key value query", mask=None, returns="context")' in printed
    options = "--order 'key value query' --mask none --returns context"
    assert f"  {options}\n" in printed and "✗ large-in-half" in printed
    assert main(["theirs_here:attention", "--order", "key value query", "--mask", "none", "--returns", "context"]) == 1
    assert "found by trying" not in capsys.readouterr().out


def test_the_command_in_json_with_a_reference(folder, capsys):
    found = ["theirs_here:attention", "--json", "--order", "key value query", "--mask", "none", "--returns", "context"]
    assert main([*found, "--reference", "theirs_here:right"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["counts"]["failed"] == 0 and report["declared"]["mask"] is None
    states = {one["clause"]: one["state"] for one in report["results"]}
    assert states["equals-pytorch"] == "passed" and states["padding-changes-nothing"] == "not applicable"
    assert main(["theirs_here:attention", "--json"]) == 1
    failed = [one for one in json.loads(capsys.readouterr().out)["results"] if one["state"] == "failed"]
    assert failed[0]["clause"] == "large-in-half" and failed[0]["smallest_input"]["sizes"].endswith("size 64")


def test_a_console_that_knows_no_check_marks(folder):
    run = [sys.executable, "-m", "course_utils.contract", "theirs_here:attention"]
    done = subprocess.run(run, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, cwd=folder)
    assert done.returncode == 1 and b"? large-in-half" in done.stdout and not done.stderr


# --- for use by others ---

BLOCKED = """
import sys

allowed = set(sys.stdlib_module_names) | {"torch", "torchgen", "functorch", "numpy", "course_utils"}
allowed |= {"typing_extensions", "sympy", "networkx", "jinja2", "fsspec", "filelock", "mpmath", "markupsafe"}

class Blocker:
    def find_spec(self, name, path=None, target=None):
        room = name.split(".")[1] if name.startswith("course_utils.") else "contract"
        if name.partition(".")[0] not in allowed or room not in ("contract", "printing"):
            raise ModuleNotFoundError(f"blocked: {name}", name=name)

sys.meta_path.insert(0, Blocker())
import torch.nn.functional as F
from course_utils.contract import audit
from course_utils.contract.leaks import leaks
print(len(audit(F.scaled_dot_product_attention, show=False).passed), "optree" in sys.modules)
"""


def test_it_needs_torch_alone():
    done = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) > 20


def test_three_lines_make_a_test_for_each_clause(tmp_path):
    (tmp_path / "test_theirs.py").write_text(
        "import torch\nfrom course_utils.contract.testing import contract\n\n"
        "def blind(query, key, value):\n    return value.mean(-2, keepdim=True).expand(-1, query.shape[1], -1)\n\n"
        'test_blind = contract(blind, mask=None, returns="context", known={"key-moves-weights"})\n'
        'test_mask = contract(blind, mask=None, returns="context", known={"runs"})\n'
    )
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(run, capture_output=True, text=True, env=os.environ, cwd=tmp_path)
    assert "1 xfailed" in done.stdout and "2 failed" in done.stdout, done.stdout
    assert "XPASS(strict)" in done.stdout and "Key 0 was moved 3 times" in done.stdout


def test_a_clause_is_a_screen():

    for clause in CLAUSES:
        assert len(inspect.getsource(clause.broken).splitlines()) <= 40, clause.name


def test_no_clause_waits_for_itself():
    names, done = {clause.name for clause in CLAUSES}, set()
    assert set(AFTER) <= names and all(set(before) <= names for before in AFTER.values())
    while rest := {name for name in names - done if set(AFTER.get(name, ())) <= done}:
        done |= rest
    assert done == names


NAMES = [
    ("query", "key", "value", "output"),
    ("q_proj", "k_proj", "v_proj", "out_proj"),
    ("to_q", "to_k", "to_v", "to_out"),
    ("project_query", "project_key", "project_value", "project_output"),
    ("w_qs", "w_ks", "w_vs", "fc"),
    ("W_q", "W_k", "W_v", "W_o"),
    ("wq", "wk", "wv", "wo"),
    ("query_linear", "key_linear", "value_linear", "proj"),
]


@pytest.mark.parametrize("names", NAMES, ids=lambda names: names[0])
def test_projections_are_found_by_their_names(names):
    class Theirs(nn.Module):
        def __init__(self):
            super().__init__()
            for name in names:
                self.add_module(name, nn.Linear(8, 8))

        def forward(self, query, key, value, mask=None):
            layers = [self.get_submodule(name) for name in names]
            parts = [
                layer(x).unflatten(-1, (2, 4)).transpose(1, 2)
                for layer, x in zip(layers[:3], (query, key, value), strict=True)
            ]
            context = F.scaled_dot_product_attention(*parts, attn_mask=None if mask is None else mask[:, None])
            return layers[3](context.transpose(1, 2).flatten(2))

    torch.manual_seed(0)
    reference, given = from_projections(theirs := Theirs(), 2), torch.randn(3, 2, 5, 8)
    assert torch.allclose(reference(*given, torch.ones(2, 5, 5, dtype=torch.bool)), theirs(*given), atol=1e-6)
