"""The contract, held against PyTorch's own attentions and against independent packages from PyPI.

What they break is theirs, and written down here with the version. After an upgrade in constraints.txt, write the
new version here, run, and take out what was mended.
"""

import functools
from importlib.metadata import version

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_utils.attention import attend
from course_utils.contract import audit

SIZE, HEADS = 12, 3
UNCHECKED = {"projects": {"output-is-a-mixture", "weights-are-used", "equals-pytorch"}}


def failed(attention, least=10, **declared):
    """The clauses that fail, after so many clauses at least were tried."""
    report = audit(attention, show=False, **declared)
    assert len(report.passed) + len(report.failed) >= least, report
    return set(report.failed), report


def needs(module, package, tested, extra="dev"):
    """What a package breaks is known for one version, the one in constraints.txt."""
    pytest.importorskip(module, reason=f"{package} is in the extra {extra}")
    if version(package) != tested:
        pytest.skip(f"{package} {version(package)} is here; what it breaks is written down for {tested}")


def seeded(build, *arguments, **keywords):
    torch.manual_seed(0)
    return build(*arguments, **keywords)


def test_attend_keeps_the_whole_contract():
    broken, report = failed(attend)
    assert not broken, report
    assert {
        "training-comes-back",
        "asked-or-not",
        "weights-in-training",
        "position-is-felt",
        "window-is-kept",
        "heads-are-apart",
    } == set(report.not_applicable)
    assert not failed(attend, layout="batch heads length size", heads=2)[0]
    assert not failed(attend, layout="length size")[0]


class TestPyTorch:
    """torch 2.13.0: the function gives 0 for a row with nothing to look at; the module nan, when asked for weights."""

    def test_the_function_keeps_the_whole_contract(self):
        broken, report = failed(F.scaled_dot_product_attention)
        assert not broken, report
        assert "weights-are-used" in report.not_applicable and "heads-are-apart" in report.passed

    def test_the_function_with_an_additive_mask(self):
        assert not failed(F.scaled_dot_product_attention, mask="additive")[0]

    def test_the_function_that_is_causal_by_itself(self):
        causal = functools.partial(F.scaled_dot_product_attention, is_causal=True)
        broken, report = failed(causal, name="causal", mask=None, causal=True, returns="context")
        # is_causal starts at the top left: on a cached prefix the new queries see the oldest keys only
        assert broken == {"step-by-step"}, report

    @pytest.mark.parametrize("batch_first", [True, False])
    def test_the_module_gives_nan_for_an_empty_row(self, batch_first):
        module = seeded(nn.MultiheadAttention, SIZE, HEADS, batch_first=batch_first, dropout=0.1)
        broken, report = failed(module)
        assert broken == {"empty-row-is-finite"}, report
        assert "nan" in report["empty-row-is-finite"].reason
        assert UNCHECKED["projects"] <= set(report.not_applicable)

    def test_the_module_with_its_padding_mask(self):
        module = seeded(nn.MultiheadAttention, SIZE, HEADS, batch_first=True)
        broken, report = failed(module, mask_name="key_padding_mask", mask_shape="batch key")
        assert broken == {"empty-row-is-finite"}, report
        assert "future-changes-nothing" in report.not_applicable

    def test_the_module_without_weights_gives_zeros_for_an_empty_row(self):
        module = seeded(nn.MultiheadAttention, SIZE, HEADS, batch_first=True, bias=False)
        broken, report = failed(module, arguments={"need_weights": False}, returns=lambda found: found[0])
        assert not broken, report

    def test_the_module_with_the_masks_the_wrong_way_round(self):
        module = seeded(nn.MultiheadAttention, SIZE, HEADS, batch_first=True)
        broken, report = failed(module, mask="attend")
        assert broken == {"runs-with-a-mask"}, report  # nan where it takes everything for hidden
        assert "the other way round" in report["runs-with-a-mask"].reason


class TestXTransformers:
    """x-transformers 2.31.10: it computes softmax in float32 whatever it is given, so float64 gains nothing."""

    HEADED = {"layout": "batch heads length size", "heads": 2}

    @pytest.fixture(autouse=True)
    def package(self):
        needs("x_transformers", "x-transformers", "2.31.10")

    def test_attend_with_its_weights(self):
        from x_transformers.attend import Attend

        broken, report = failed(
            Attend(), mask_name="mask", returns=lambda found: (found[0], found[1].post_softmax_attn), **self.HEADED
        )
        # the output of an empty row is 0, the weights that it reports for it are uniform, and were not used
        # and the products are scaled after they were summed, which overflows in float16
        assert broken == {"empty-row-is-0", "gradient", "large-in-half"}, report

    def test_attend_through_the_fused_kernel(self):
        from x_transformers.attend import Attend

        broken, report = failed(Attend(flash=True), mask_name="mask", returns=lambda found: found[0], **self.HEADED)
        assert not broken, report

    @pytest.mark.parametrize("flash", [False, True])
    def test_causal_attend(self, flash):
        from x_transformers.attend import Attend

        broken, report = failed(
            Attend(causal=True, flash=flash), mask=None, causal=True, returns=lambda found: found[0], **self.HEADED
        )
        assert broken == (set() if flash else {"gradient", "large-in-half"}), report

    def test_self_attention_with_projections(self):
        from x_transformers import Attention

        module = seeded(Attention, SIZE, heads=HEADS, dim_head=4)
        broken, report = failed(
            module,
            order="source",
            mask_name="mask",
            mask_shape="batch key",
            returns="context",
            size=SIZE,
            projects=True,
        )
        assert broken == {"gradient"}, report


class TestFairEsm:
    """fair-esm 2.0.0, fairseq's module: softmax in float32, and nan for a row with nothing to look at."""

    DECLARED = {
        "layout": "length batch size",
        "mask": "hidden",
        "mask_name": "key_padding_mask",
        "mask_shape": "batch key",
        "weights_shape": "heads batch query key",
        "arguments": {"need_head_weights": True},
        "size": SIZE,
        "heads": HEADS,
        "projects": True,
    }

    @pytest.fixture(autouse=True)
    def package(self):
        needs("esm.multihead_attention", "fair-esm", "2.0.0")

    def test_the_module(self):
        from esm.multihead_attention import MultiheadAttention

        broken, report = failed(seeded(MultiheadAttention, SIZE, HEADS), **self.DECLARED)
        assert broken == {"empty-row-is-finite", "gradient"}, report

    def test_with_rotary_positions(self):
        from esm.multihead_attention import MultiheadAttention

        module = seeded(MultiheadAttention, SIZE, HEADS, use_rotary_embeddings=True)
        broken, report = failed(module, positions=True, **self.DECLARED)
        # its table of angles is as long as the keys: more queries than keys raise
        assert broken == {"empty-row-is-finite", "gradient", "any-number-of-keys"}, report
        assert report["any-number-of-keys"].sizes.startswith("3 queries, 2 keys")
        assert report["order-of-keys"].reason == "it knows positions"


class TestMemoryEfficientAttention:
    """memory-efficient-attention-pytorch 0.1.6: the same attention in tiles; uniform for an empty row."""

    DECLARED = {
        "layout": "batch heads length size",
        "heads": 2,
        "returns": "context",
        "mask_name": "mask",
        "mask_shape": "batch key",
    }

    @pytest.fixture(autouse=True)
    def package(self):
        needs("memory_efficient_attention_pytorch", "memory-efficient-attention-pytorch", "0.1.6")

    def test_in_one_piece(self):
        from memory_efficient_attention_pytorch.memory_efficient_attention import attention

        broken, report = failed(attention, **self.DECLARED)
        assert broken == {"empty-row-is-0"}, report

    @pytest.mark.parametrize("bucket", [1, 2])
    def test_in_tiles(self, bucket):
        from memory_efficient_attention_pytorch.memory_efficient_attention import memory_efficient_attention

        broken, report = failed(
            memory_efficient_attention, arguments={"q_bucket_size": bucket, "k_bucket_size": bucket}, **self.DECLARED
        )
        # it recomputes its tiles through a checkpoint of the older kind, which torch.autograd.grad cannot pass
        assert broken == {"empty-row-is-0", "gradient"}, report
        assert "use_reentrant" in report["gradient"].reason
