"""The contract: conventions of every kind are understood, the report is readable, and an audit leaves no trace."""

import math
import os
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_utils.attention import attend, cosine
from course_utils.contract import CLAUSES, ContractBroken, Convention, audit
from course_utils.contract.__main__ import build, find, main
from course_utils.contract.cases import draw, moved, shapes
from course_utils.contract.patterns import arrange, restore

CPU = torch.device("cpu")


def no_root(query, key, value, mask=None):
    return attend(query * math.sqrt(query.shape[-1]), key, value, mask)


def keeps(attention, **declared):
    report = audit(attention, show=False, **declared)
    assert not report.failed, report
    return report


# --- conventions ---


@pytest.mark.parametrize("order", ["query key value", "value key query", "key query value"])
def test_any_order_of_arguments(order):
    def theirs(*tensors, mask=None):
        named = dict(zip(order.split(), tensors, strict=True))
        return attend(named["query"], named["key"], named["value"], mask)

    keeps(theirs, order=order, mask_name="mask")


def test_every_convention_of_masks():
    keeps(lambda q, k, v, hidden=None: attend(q, k, v, None if hidden is None else ~hidden), mask="hidden")
    keeps(lambda q, k, v, added=None: attend(q, k, v, None if added is None else added == 0), mask="additive")
    keeps(lambda q, k, v: attend(q, k, v), mask=None)
    keeps(lambda q, k, v, real=None: attend(q, k, v, None if real is None else real[:, None]), mask_shape="batch key")
    keeps(lambda q, k, v, seen=None: attend(q, k, v, seen), mask_shape="query key")


def test_a_mask_that_must_be_given():
    keeps(lambda query, key, value, mask: attend(query, key, value, mask & True))


def test_every_way_to_return():
    keeps(lambda *given: attend(*given)[0], returns="context")
    keeps(lambda *given: attend(*given)[::-1], returns="weights context")
    keeps(lambda *given: dict(zip("cw", attend(*given), strict=True)), returns=lambda found: (found["c"], found["w"]))


@pytest.mark.parametrize("layout", ["length batch size", "batch length heads size", "heads batch length size"])
def test_every_layout(layout):
    heads = 2 if "heads" in layout else 1
    pattern = "batch heads length size" if heads > 1 else "batch length size"
    forth = [layout.split().index(axis) for axis in pattern.split()]
    back = [pattern.split().index(axis) for axis in layout.split()]

    def theirs(query, key, value, mask=None):
        context, weights = attend(*(tensor.permute(forth) for tensor in (query, key, value)), mask)
        return context.permute(back), weights

    keeps(theirs, layout=layout, heads=heads)


def test_without_a_batch_nothing_is_said_on_it():
    report = keeps(attend, layout="length size")
    assert "batch-is-apart" in report.not_applicable
    assert report["batch-is-apart"].reason == "it takes no batch"


def test_self_attention_of_one_source_and_cross_attention_on_a_memory():
    one = keeps(lambda source, mask=None: attend(source, source, source, mask), order="source")
    assert {"query-moves-weights", "queries-are-apart"} <= set(one.not_applicable)
    keeps(lambda query, memory, mask=None: attend(query, memory, memory, mask), order="query memory")


def test_heads_that_share_the_last_axis():
    def split_attend(query, key, value, mask=None):
        query, key, value = (tensor.unflatten(-1, (2, -1)).transpose(1, 2) for tensor in (query, key, value))
        context, weights = attend(query, key, value, mask)
        return context.transpose(1, 2).flatten(2), weights

    keeps(split_attend, heads=2, mask_shape="batch 1 query key", weights_shape="batch heads query key")


def test_another_rule_is_not_held_against_the_scaled_dot_product():
    assert audit(lambda *given: attend(*given, score=cosine), show=False).failed == ["equals-pytorch"]
    keeps(lambda *given: attend(*given, score=cosine), rule=None)


def test_a_reference_replaces_pytorch():
    report = audit(no_root, show=False, reference=attend)
    assert report.failed == ["equals-pytorch"] and report.not_tried == ["many-keys", "step-by-step"]
    keeps(no_root, reference=no_root)


def test_positions_excuse_from_the_order_of_keys():
    def with_positions(query, key, value):
        distance = torch.arange(key.shape[-2], dtype=key.dtype)
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1]) - distance
        weights = torch.softmax(scores, dim=-1)
        return weights @ value, weights

    assert audit(with_positions, show=False, mask=None, rule=None).failed == ["order-of-keys"]
    keeps(with_positions, mask=None, rule=None, positions=True)


def test_another_decision_on_empty_rows():
    def uniform(query, key, value, mask=None):
        scores = query / math.sqrt(query.shape[-1]) @ key.transpose(-2, -1)
        scores = scores if mask is None else scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        return torch.softmax(scores, dim=-1) @ value

    assert audit(uniform, show=False, returns="context").failed == ["empty-row-is-0"]
    keeps(uniform, returns="context", empty_rows="finite")


def test_single_precision_inside_is_told_from_a_wrong_gradient():
    def in_float32(query, key, value, mask=None):
        context, weights = attend(query.float(), key.float(), value.float(), mask)
        return context.to(query.dtype), weights.to(query.dtype)

    report = audit(in_float32, show=False)
    assert report.failed == ["gradient"]
    assert "it computes in float32" in report["gradient"].reason


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"mask": "seen"}, "mask: got 'seen', expected attend, hidden, additive, lengths, None"),
        ({"order": "query key"}, "order: got 'query key'"),
        ({"order": "query keys value"}, "order: got 'keys'"),
        ({"layout": "batch time size"}, "layout: got 'time'"),
        ({"layout": "batch length"}, "expected length and size"),
        ({"mask_shape": "batch length"}, "mask_shape: got 'length'"),
        ({"returns": "weights"}, "returns: got 'weights'"),
        ({"rule": "dot"}, "rule: got 'dot'"),
        ({"empty_rows": "nan"}, "empty_rows: got 'nan'"),
        ({"size": 5, "heads": 2}, "heads: got 2, expected a divisor of the size 5"),
        ({"masks": "attend"}, "convention: got masks, expected some of order, mask"),
    ],
)
def test_a_declaration_that_is_not_known(declared, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        audit(attend, show=False, **declared)


def test_only_what_can_be_called_is_audited():
    with pytest.raises(ValueError, match="got Tensor, expected a function or a module"):
        audit(torch.ones(2))
    with pytest.raises(ValueError, match="got the class MultiheadAttention, expected an instance"):
        audit(nn.MultiheadAttention)


# --- the report ---


def test_the_table(capsys):
    report = audit(no_root)
    printed = capsys.readouterr().out
    assert printed == f"{report}\n"
    lines = printed.splitlines()
    assert lines[:4] == [
        "Contract of no_root",
        "  no_root(query, key, value, mask) → context, weights",
        "  (batch, length, size)",
        "  mask (batch, query, key), True = may attend",
    ]
    assert lines[-1] == "23 passed, 1 failed, 6 not applicable, 3 not tried."
    assert max(map(len, lines)) <= 100
    start = next(place for place, line in enumerate(lines) if "✗" in line)
    assert lines[start] == (
        "  ✗ equals-pytorch           It equals PyTorch's own function, or the reference that was named."
    )
    assert "without the root" in lines[start + 1]
    for clause in CLAUSES:
        assert sum(f" {clause.name} " in line for line in lines) == 1


def test_the_report_answers():
    report = audit(no_root, show=False)
    assert report.failed == ["equals-pytorch"]
    assert (
        len(CLAUSES)
        == len(report.results)
        == sum(map(len, (report.passed, report.failed, report.not_applicable, report.not_tried)))
    )
    assert repr(report) == "<Report on no_root: 23 passed, 1 failed, 6 not applicable, 3 not tried>"
    with pytest.raises(KeyError, match="got 'sum', expected one of runs"):
        report["sum"]


def test_the_smallest_input_does_it():
    """A root needs a size of 2 to be missed, and two keys to matter; the tensors can be used as they are."""
    result = audit(no_root, show=False)["equals-pytorch"]
    assert result.sizes == "1 query, 2 keys, size 2"
    context, _ = no_root(**result.inputs)
    assert not torch.allclose(context, F.scaled_dot_product_attention(**result.inputs), atol=1e-3)


def test_strict_raises_with_the_table(capsys):
    with pytest.raises(ContractBroken, match="✗ equals-pytorch"):
        audit(no_root, strict=True)
    assert capsys.readouterr().out == ""
    audit(attend, strict=True, show=False)


def test_what_does_not_run_gets_a_short_report():
    def nothing_yet(query, key, value, mask=None): ...

    report = audit(nothing_yet, show=False)
    assert report.failed == ["runs"]
    assert "It returned None (is there a `return`?)" in report["runs"].reason
    assert f"The other {len(CLAUSES) - 1} clauses wait until it runs." in str(report)
    assert len(str(report).splitlines()) < 20


def test_weights_that_were_not_asked_for():
    report = keeps(lambda *given: (attend(*given)[0], None))
    assert report["weights-are-used"].reason == "it does not return its weights"


def test_one_tensor_in_place_of_two():
    report = audit(F.scaled_dot_product_attention, Convention(), show=False)
    assert report["runs"].reason == "It returned one tensor; its convention says context and weights."


# --- it leaves no trace ---


def test_two_audits_say_the_same():
    torch.manual_seed(1)
    one = str(audit(no_root, show=False))
    torch.manual_seed(2)
    assert str(audit(no_root, show=False)) == one


def test_an_audit_leaves_no_trace(capsys):
    class Chatty(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls = 0
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, query, key, value, mask=None):
            print("called")
            self.calls += 1
            torch.rand(1)
            return attend(query * self.scale, key, value, mask)

    module = Chatty().train()
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    threads = torch.get_num_threads()
    keeps(module)
    assert torch.equal(torch.rand(3), expected)
    assert module.training and module.calls == 0 and module.scale.grad is None and module.scale.dtype == torch.float32
    assert torch.get_num_threads() == threads and torch.is_grad_enabled()
    assert capsys.readouterr().out == ""


# --- its parts ---


def test_patterns_go_there_and_back():
    tensor = torch.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    axes = "batch heads query key"
    for pattern in ("batch heads query key", "batch*heads query key", "key 1 query heads*batch"):
        there = arrange(tensor, axes, pattern)
        assert torch.equal(restore(there, axes, pattern, {"batch": 2, "heads": 3, "query": 4, "key": 5}), tensor)
    assert arrange(tensor, axes, "batch key").shape == (2, 5)
    assert restore(torch.ones(4, 5), axes, "query key", {"query": 4, "key": 5}).shape == (1, 1, 4, 5)


def test_inputs_are_small_first_readable_and_the_same():
    found = shapes(Convention())
    assert [dims.numbers for dims in found] == sorted(dims.numbers for dims in found)
    assert found[0].numbers == 3 and str(found[0]) == "1 query, 1 key, size 1"
    for dims in found:
        one, two = draw(Convention(), dims, 0, CPU), draw(Convention(), dims, 0, CPU)
        assert torch.equal(one.key, two.key) and bool((one.key != 0).all())
        for dtype in (torch.float16, torch.bfloat16):
            assert torch.equal(one.key.to(dtype).float(), one.key)
        other = moved(one.key, [0], 0)
        assert bool(((other - one.key)[..., 0, :].abs() >= 1).all())
        assert torch.equal(other[..., 1:, :], one.key[..., 1:, :])


# --- the command ---


def test_the_command(tmp_path, capsys, monkeypatch):
    (tmp_path / "mine_to_audit.py").write_text(
        "def blind(query, key, value, hidden=None):\n    return value.mean(-2, keepdim=True) + 0 * query\n"
    )
    monkeypatch.chdir(tmp_path)
    assert main(["course_utils.attention:attend"]) == 0
    assert "27 passed, 0 failed" in capsys.readouterr().out
    assert main(["torch.nn:MultiheadAttention", "--build", "12, 3, batch_first=True"]) == 1
    assert "✗ empty-row-is-finite" in capsys.readouterr().out
    assert main(["mine_to_audit:blind", "--mask", "none", "--returns", "context", "--size", "2"]) == 1
    assert "✗ key-moves-weights" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["attend"], "address: got 'attend', expected package.module:name"),
        (["course_utils.nowhere:attend"], "address: got 'course_utils.nowhere', expected a module"),
        (
            ["course_utils.attention:pay"],
            "address: got 'pay', expected a name that the module 'course_utils.attention' has",
        ),
        (["torch.nn:MultiheadAttention"], "a class, expected how to build it too"),
        (["torch.nn:MultiheadAttention", "--build", "size"], "--build: got 'size', expected arguments such as"),
        (["course_utils.attention:attend", "--layout", "batch size"], "expected length and size"),
    ],
)
def test_the_command_says_what_is_wrong(arguments, words, capsys):
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_the_command_finds_and_builds():
    assert find("torch.nn:MultiheadAttention") is nn.MultiheadAttention
    assert build(dict, "a=1, b=[2, 3]") == {"a": 1, "b": [2, 3]}


def test_the_command_in_a_shell(tmp_path):
    run = [sys.executable, "-m", "course_utils.contract"]
    done = subprocess.run([*run, "nowhere:f"], cwd=tmp_path, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 2
    assert done.stderr.startswith("address: got 'nowhere', expected a module")
