"""The contract, held against packages from PyPI that only `--thorough` needs: the extra `audit`.

What they break is theirs, and written down here with the version; after an upgrade in constraints.txt, run and see.
"""

import os
import sys

import pytest
import torch
from test_contract_libraries import failed, needs, seeded

pytestmark = pytest.mark.thorough
SIZE, HEADS = 16, 4
MULTIHEAD = {"size": SIZE, "heads": HEADS, "projects": True}
SELF = {"order": "source", **MULTIHEAD}
CONTEXT = {"mask_name": "mask", "mask_shape": "batch key", "returns": "context"}


class TestTransformers:
    """transformers 5.24.0: eager gives nan for a row with nothing to look at, sdpa 0; both scale and split well."""

    EAGER = {
        "mask": "additive",
        "mask_name": "attention_mask",
        "mask_shape": "batch 1 query key",
        "weights_shape": "batch heads query key",
        "reference": "projections",
    }

    @pytest.fixture(autouse=True)
    def package(self, monkeypatch):
        # torch-multi-head-attention brings torchvision along, whose operators a torch without CUDA may lack: not for us
        monkeypatch.setitem(sys.modules, "torchvision", None)
        needs("transformers", "transformers", "5.24.0", extra="audit")

    def bert(self, way):
        from transformers import BertConfig
        from transformers.models.bert.modeling_bert import BertSelfAttention

        config = BertConfig(hidden_size=SIZE, num_attention_heads=HEADS, attn_implementation=way)
        return seeded(BertSelfAttention, config)

    def gpt2(self, way):
        from transformers import GPT2Config
        from transformers.models.gpt2.modeling_gpt2 import GPT2Attention

        config = GPT2Config(n_embd=SIZE, n_head=HEADS, n_positions=2048, attn_implementation=way)
        return seeded(GPT2Attention, config)

    @pytest.mark.parametrize("model", ["bert", "gpt2"])
    def test_eager(self, model):
        broken, report = failed(getattr(self, model)("eager"), **SELF, **self.EAGER)
        assert broken == {"empty-row-is-finite"}, report
        assert "equals-pytorch" in report.passed

    def test_bert_through_the_fused_kernel(self):
        broken, report = failed(self.bert("sdpa"), **SELF, **{**self.EAGER, "mask": "attend", "weights_shape": None})
        assert not broken and "equals-pytorch" in report.passed, report

    def test_gpt2_through_the_fused_kernel_is_causal(self):
        broken, report = failed(self.gpt2("sdpa"), mask=None, causal=True, reference="projections", **SELF)
        assert not broken and {"equals-pytorch", "step-by-step"} <= set(report.passed), report


class TestTorchMultiHeadAttention:
    """torch-multi-head-attention 0.15.1: −1e9 as a fill raises in float16, and the mask of a batch is mixed up."""

    @pytest.fixture(autouse=True)
    def package(self):
        needs("torch_multi_head_attention", "torch-multi-head-attention", "0.15.1", extra="audit")

    def test_masks_are_repeated_in_the_wrong_order(self):
        from torch_multi_head_attention import MultiHeadAttention

        module = seeded(MultiHeadAttention, SIZE, HEADS)
        report = failed(module, mask_name="mask", returns="context", least=8, **MULTIHEAD)[1]
        assert set(report.failed) == {"batch-is-apart", "half-precision"}, report

    def test_with_one_head_they_cannot_be(self):
        from torch_multi_head_attention import MultiHeadAttention

        module = seeded(MultiHeadAttention, SIZE, 1, activation=None)
        broken, report = failed(
            module, mask_name="mask", returns="context", reference="projections", size=SIZE, projects=True
        )
        assert broken == {"half-precision"} and "equals-pytorch" in report.passed, report


class TestPerformer:
    """performer-pytorch 1.1.4: hidden keys stay in the denominator; the features overflow in float16."""

    @pytest.fixture(autouse=True)
    def package(self):
        needs("performer_pytorch", "performer-pytorch", "1.1.4", extra="audit")

    def test_the_kernel(self):
        from performer_pytorch import FastAttention

        declared = {"mask": None, "layout": "batch heads length size", "returns": "context", "heads": 2, "size": 4}
        broken, report = failed(seeded(FastAttention, 4, nb_features=8), rule=None, **declared)
        # the largest score is taken away without its gradient, and an ε is added behind it
        assert broken == {"gradient", "half-precision"}, report

    def test_the_module_leaks_its_padding(self):
        from performer_pytorch import SelfAttention

        broken, report = failed(seeded(SelfAttention, SIZE, heads=HEADS, dim_head=4), **SELF, **CONTEXT)
        assert broken == {"padding-changes-nothing"}, report


class TestLocalAttention:
    """local-attention 1.11.2: filled up to whole windows with −1, and without a mask the filling is looked at."""

    @pytest.fixture(autouse=True)
    def package(self):
        needs("local_attention", "local-attention", "1.11.2", extra="audit")

    DECLARED = {"returns": "context", "size": 8, "equal_lengths": True, "positions": True}

    def test_its_filling_is_seen(self):
        from local_attention import LocalAttention

        module = LocalAttention(window_size=2, autopad=True, dim=8, use_rotary_pos_emb=False)
        broken, report = failed(module, mask=None, **self.DECLARED)
        assert broken == {"rows-sum-to-1"}, report  # where a window is not full, its filling takes a share


class TestLinearAttentionTransformer:
    """linear-attention-transformer 0.19.1: the function hides in the caller's own key."""

    @pytest.fixture(autouse=True)
    def package(self):
        needs("linear_attention_transformer", "linear-attention-transformer", "0.19.1", extra="audit")

    def test_the_module(self):
        from linear_attention_transformer.linear_attention_transformer import SelfAttention

        broken, report = failed(seeded(SelfAttention, SIZE, HEADS), **SELF, **{**CONTEXT, "mask_name": "input_mask"})
        assert not broken, report

    def test_the_function_writes_into_the_key(self):
        from linear_attention_transformer.linear_attention_transformer import linear_attn

        declared = {"layout": "batch heads length size", "heads": 2, "rule": None, "empty_rows": "finite"}
        broken, report = failed(linear_attn, **declared, **{**CONTEXT, "mask_name": "kv_mask"})
        assert "arguments-unchanged" in broken, report
        assert "the key that it was given" in report["arguments-unchanged"].reason


def test_linformer():
    """linformer 0.2.3 projects the positions: it knows them, and takes a fixed greatest number of keys."""
    needs("linformer", "linformer", "0.2.3", extra="audit")
    from linformer import LinformerSelfAttention

    module = seeded(LinformerSelfAttention, SIZE, 5, k=4, heads=HEADS)
    broken, report = failed(module, mask=None, returns="context", positions=True, **SELF)
    assert not broken and "position-is-felt" in report.passed, report


def test_nystrom_attention():
    """nystrom-attention 0.0.14: its inverse is started from the largest norm of the whole batch, which mixes it."""
    needs("nystrom_attention", "nystrom-attention", "0.0.14", extra="audit")
    from nystrom_attention import NystromAttention

    module = seeded(NystromAttention, SIZE, dim_head=4, heads=HEADS, num_landmarks=4)
    report = failed(module, least=8, **SELF, **CONTEXT)[1]
    assert set(report.failed) == {"batch-is-apart", "half-precision"}, report


def test_keras_on_torch(monkeypatch):
    """keras 3.15.1 keeps its own type: converted to another like a module of PyTorch, it raises."""
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "torch")
    needs("keras", "keras", "3.15.1", extra="audit")
    import keras

    module = seeded(keras.layers.MultiHeadAttention, HEADS, SIZE // HEADS)
    module(torch.ones(1, 2, SIZE), torch.ones(1, 2, SIZE))  # it makes its parameters in the first call
    broken, report = failed(module, order="query value key", mask_name="attention_mask", returns="context", **MULTIHEAD)
    assert broken == {"gradient", "half-precision"}, report
