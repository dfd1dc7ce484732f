"""Between our multi-head attention and PyTorch's: parameters copied both ways, and a mask in the module's own terms."""

import torch
from torch import Tensor, nn

from course_utils.attention.heads import MultiHeadAttention
from course_utils.attention.masks import hidden


@torch.no_grad()
def copy_from_torch(source: nn.MultiheadAttention, target: MultiHeadAttention) -> None:
    """Copies the parameters of PyTorch's module into ours.

    Outputs are equal in evaluation mode: ours has no dropout. Raises ValueError when sizes, heads or biases differ, or
    when theirs adds keys of its own (add_bias_kv, add_zero_attn).
    """
    for ours, theirs in _pairs(source, target):
        ours.copy_(theirs)


@torch.no_grad()
def copy_to_torch(source: MultiHeadAttention, target: nn.MultiheadAttention) -> None:
    """Copies our parameters into PyTorch's module.

    Outputs are equal in evaluation mode: ours has no dropout. Raises ValueError when sizes, heads or biases differ, or
    when theirs adds keys of its own (add_bias_kv, add_zero_attn).
    """
    for ours, theirs in _pairs(target, source):
        theirs.copy_(ours)


def torch_masks(mask: Tensor, heads: int) -> Tensor:
    """Writes a mask as nn.MultiheadAttention wants it in `attn_mask`: True = hidden, heads folded into the batch.

    Shapes: mask (batch, query, key) → (batch · heads, query, key).
    """
    return hidden(mask).repeat_interleave(heads, dim=0)


def _pairs(theirs: nn.MultiheadAttention, ours: MultiHeadAttention) -> list[tuple[Tensor, Tensor]]:
    """Our parameters beside theirs; theirs keeps the three projections of the inputs in one matrix."""
    if theirs.num_heads != ours.heads:
        raise ValueError(f"heads: got {theirs.num_heads} and {ours.heads}, expected the same number")
    if theirs.bias_k is not None or theirs.add_zero_attn:
        raise ValueError(
            "keys: got a module that adds its own (add_bias_kv or add_zero_attn), expected one that does not"
        )
    if theirs.in_proj_weight is None:
        weights = [theirs.q_proj_weight, theirs.k_proj_weight, theirs.v_proj_weight]
    else:
        weights = list(theirs.in_proj_weight.chunk(3))
    inner = [ours.project_query, ours.project_key, ours.project_value]
    pairs = [(mine.weight, weight) for mine, weight in zip(inner, weights, strict=True)]
    pairs.append((ours.project_output.weight, theirs.out_proj.weight))
    if (theirs.in_proj_bias is None) != (ours.project_query.bias is None):
        raise ValueError("biases: got a module with and one without, expected both alike")
    if theirs.in_proj_bias is not None:
        pairs += [(mine.bias, bias) for mine, bias in zip(inner, theirs.in_proj_bias.chunk(3), strict=True)]
        pairs.append((ours.project_output.bias, theirs.out_proj.bias))
    for mine, weight in pairs:
        if mine.shape != weight.shape:
            raise ValueError(f"size: got {tuple(weight.shape)} and {tuple(mine.shape)}, expected equal shapes")
    return pairs
