"""Multi-head attention: several small attentions side by side, each over its own projection of the inputs."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention import Score, attend, scaled_dot
from course_utils.masks import hidden


def split_heads(inputs: Tensor, heads: int) -> Tensor:
    """Cuts the features into one part for each head.

    Shapes: inputs (…, length, size) → (…, heads, length, size / heads).
    Raises ValueError when the number of heads does not divide the size.
    """
    _require_divisor(inputs.shape[-1], heads)
    return inputs.unflatten(-1, (heads, -1)).transpose(-2, -3)


def merge_heads(inputs: Tensor) -> Tensor:
    """Puts the parts of the heads side by side again: the inverse of split_heads.

    Shapes: inputs (…, heads, length, head size) → (…, length, heads · head size).
    """
    return inputs.transpose(-2, -3).flatten(-2)


class MultiHeadAttention(nn.Module):
    """Projects query, key and value, attends in each head, merges the heads and projects back.

    Shapes: query (…, query, size), key (…, key, key size), value (…, key, value size), mask (…, query, key) or
    (…, heads, query, key) → output (…, query, size), weights (…, heads, query, key) or None.
    Each head has size / heads features, and divides its scores by the root of that number. Weights are None unless
    `need_weights` asks for them: without them the fused kernel does the work. `bias` is added to the scores, as
    relative positions are: (heads, query, key). Source: Vaswani et al. 2017, section 3.2.2.
    Raises ValueError when the number of heads does not divide the size, or a mask has neither shape.
    """

    def __init__(
        self, size: int, heads: int, key_size: int | None = None, value_size: int | None = None, biases: bool = True
    ) -> None:
        _require_divisor(size, heads)
        super().__init__()
        self.heads = heads
        self.project_query = nn.Linear(size, size, biases)
        self.project_key = nn.Linear(key_size or size, size, biases)
        self.project_value = nn.Linear(value_size or size, size, biases)
        self.project_output = nn.Linear(size, size, biases)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None = None,
        bias: Tensor | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        query = split_heads(self.project_query(query), self.heads)  # (…, heads, query, head size)
        key = split_heads(self.project_key(key), self.heads)  # (…, heads, key, head size)
        value = split_heads(self.project_value(value), self.heads)
        mask = for_heads(mask, query.dim())
        if need_weights:
            context, weights = attend(query, key, value, mask, scaled_dot if bias is None else _biased(bias))
        else:
            context, weights = fused_attend(query, key, value, mask, bias), None
        return self.project_output(merge_heads(context)), weights


def fused_attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
) -> Tensor:
    """Gives the context of `attend` without ever storing the weights, through PyTorch's fused kernel.

    Shapes: query (…, query, size), key (…, key, size), value (…, key, value size), mask and bias broadcastable to
    (…, query, key) → context (…, query, value size).
    A row with nothing to look at gives context 0 and no gradient, as in `attend`.
    """
    if mask is None:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
    something = mask.any(-1, keepdim=True)  # kernels disagree on empty rows: let those look anywhere, then erase them
    allowed = mask | ~something
    if bias is not None:
        allowed = torch.where(allowed, bias, -torch.inf).to(query.dtype)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=allowed).where(something, 0.0)


def _biased(bias: Tensor) -> Score:
    return lambda query, key: scaled_dot(query, key) + bias


def for_heads(mask: Tensor | None, axes: int) -> Tensor | None:
    """Gives a mask (…, query, key) an axis of size 1 for the heads; one that has it already stays as it is.

    Shapes: mask (…, query, key) → (…, 1, query, key), for scores of `axes` axes.
    A mask of two axes serves every batch row and head.
    """
    if mask is None or mask.dim() <= 2 or mask.dim() == axes:
        return mask
    if mask.dim() == axes - 1:
        return mask.unsqueeze(-3)
    raise ValueError(f"mask: got shape {tuple(mask.shape)}, expected (…, query, key) or (…, heads, query, key)")


@torch.no_grad()
def copy_from_torch(source: nn.MultiheadAttention, target: MultiHeadAttention) -> None:
    """Copies the parameters of PyTorch's module into ours.

    Raises ValueError when sizes, heads or biases differ.
    """
    for ours, theirs in _pairs(source, target):
        ours.copy_(theirs)


@torch.no_grad()
def copy_to_torch(source: MultiHeadAttention, target: nn.MultiheadAttention) -> None:
    """Copies our parameters into PyTorch's module.

    Raises ValueError when sizes, heads or biases differ.
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


def _require_divisor(size: int, heads: int) -> None:
    if not isinstance(heads, int) or heads < 1 or size % heads:
        raise ValueError(f"heads: got {heads!r}, expected a whole number that divides the size {size}")
