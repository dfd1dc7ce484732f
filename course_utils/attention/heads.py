"""Multi-head attention: several small attentions side by side, each over its own projection of the inputs."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention.basics import Score, attend, scaled_dot
from course_utils.attention.guards import require_divisor, require_mask, require_pairs, require_positive
from course_utils.attention.masks import hidden


def split_heads(inputs: Tensor, heads: int) -> Tensor:
    """Cuts the features into one part for each head.

    Shapes: inputs (…, length, size) → (…, heads, length, size / heads).
    Raises ValueError when the number of heads does not divide the size.
    """
    require_divisor(inputs.shape[-1], heads)
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
    Each head has `head_size` features, by default size / heads, and divides its scores by the root of that number.
    Weights are None unless `need_weights` asks for them: without them the fused kernel does the work. `bias` is added
    to the scores, as relative positions are: (heads, query, key). Source: Vaswani et al. 2017, section 3.2.2.
    Raises ValueError when the number of heads does not divide the size and no head size is given, or a mask has
    neither shape.
    """

    def __init__(
        self,
        size: int,
        heads: int,
        key_size: int | None = None,
        value_size: int | None = None,
        biases: bool = True,
        head_size: int | None = None,
    ) -> None:
        _require_heads(size, heads, head_size)
        super().__init__()
        self.heads = heads
        inner = size if head_size is None else heads * head_size  # all heads side by side
        self.project_query = nn.Linear(size, inner, biases)
        self.project_key = nn.Linear(key_size or size, inner, biases)
        self.project_value = nn.Linear(value_size or size, inner, biases)
        self.project_output = nn.Linear(inner, size, biases)

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
        return self.attend_in_heads(query, key, value, mask, bias, need_weights)

    def attend_in_heads(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, bias: Tensor | None, need_weights: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Attends in each head, merges the heads and projects back: what follows the projections and the split.

        Shapes: query (…, heads, query, head size), key and value (…, heads, key, head size), the rest as in `forward`.
        """
        mask = for_heads(mask, query.dim())
        if need_weights:
            context, weights = attend_with_weights(query, key, value, mask, bias)
        else:
            context, weights = fused_attend(query, key, value, mask, bias), None
        return self.project_output(merge_heads(context)), weights


def keep_heads(attention: MultiHeadAttention, kept: list[int]) -> MultiHeadAttention:
    """Gives a smaller module that holds only some of the heads: what pruning leaves.

    Shapes: the projections of query, key and value keep heads · head size rows, that of the output as many columns.
    Heads are counted from 0. Source: Michel, Levy and Neubig 2019. Raises ValueError for an empty list, a head that
    does not exist, or one that is named twice.
    """
    unlike = [head for head in kept if isinstance(head, bool) or head not in range(attention.heads)]
    if not kept or unlike or len(set(kept)) < len(kept):
        raise ValueError(f"kept: got {kept}, expected some of the heads 0 to {attention.heads - 1}, each once")
    old = attention.project_query
    rows = torch.arange(old.out_features).unflatten(0, (attention.heads, -1))[kept].flatten()  # of the heads kept
    sizes = (attention.project_key.in_features, attention.project_value.in_features)
    head_size = old.out_features // attention.heads
    smaller = MultiHeadAttention(old.in_features, len(kept), *sizes, old.bias is not None, head_size).to(old.weight)
    with torch.no_grad():
        for name, part in smaller.named_parameters():
            whole = attention.get_parameter(name)
            if name == "project_output.weight":
                part.copy_(whole[:, rows])
            else:  # the output's bias belongs to no head
                part.copy_(whole if name == "project_output.bias" else whole[rows])
    return smaller.train(attention.training)


def attend_with_weights(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Gives what `attend` gives; where no gradient is wanted, with half its memory.

    Shapes: query (…, query, size), key (…, key, size), value (…, key, value size), bias that broadcasts with
    (…, query, key), mask broadcastable to their sum → context (…, query, value size), weights (…, query, key).
    At length 4096 the scores of eight heads fill 512 MB and the weights as much again. Scores are needed no more once
    there are weights, so the weights take their place: for the backward pass both could not share it.
    Raises ValueError as `attend` does.
    """
    score = scaled_dot if bias is None else _biased(bias)
    if torch.is_grad_enabled():
        return attend(query, key, value, mask, score)
    require_pairs(key, value)
    scores = score(query, key)  # nobody else holds this tensor: it may be changed
    if mask is not None:
        require_mask(mask, scores.shape)
        scores.masked_fill_(hidden(mask), -torch.inf)
    weights = torch.softmax(scores, -1, out=scores)  # row by row in place, as PyTorch's own fast path does it
    if mask is not None:
        weights.masked_fill_(hidden(mask), 0.0)  # only a fully masked row changes here: softmax made it nan
    return weights @ value, weights


def fused_attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
) -> Tensor:
    """Gives the context of `attend` without ever storing the weights, through PyTorch's fused kernel.

    Shapes: query (…, query, size), key (…, key, size), value (…, key, value size), bias that broadcasts with
    (…, query, key), mask broadcastable to their sum → context (…, query, value size).
    A row with nothing to look at gives context 0 and no gradient, as in `attend`. Raises ValueError for a mask that is
    not boolean or does not fit.
    """
    if bias is not None:  # the kernel wants all leading axes of the bias in the query too
        leading = torch.broadcast_shapes(query.shape[:-2], bias.shape[:-2])
        query = query.expand(*leading, *query.shape[-2:])
    if mask is None:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
    require_mask(mask, (*torch.broadcast_shapes(query.shape[:-2], key.shape[:-2]), query.shape[-2], key.shape[-2]))
    something = mask.any(-1, keepdim=True)  # kernels disagree on empty rows: let those look anywhere, then erase them
    allowed = mask | ~something
    if bias is not None:
        allowed = torch.where(allowed, bias, -torch.inf).to(query.dtype)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=allowed).where(something, 0.0)


def _biased(bias: Tensor) -> Score:
    def score(query: Tensor, key: Tensor) -> Tensor:
        scores = scaled_dot(query, key)
        fits = torch.broadcast_shapes(scores.shape, bias.shape) == scores.shape
        if torch.is_grad_enabled() or not fits or torch.result_type(scores, bias) != scores.dtype:
            return scores + bias
        scores += bias  # no second tensor of this size
        return scores

    return score


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


def _require_heads(size: int, heads: int, head_size: int | None) -> None:
    if head_size is None:
        require_divisor(size, heads)
    else:
        require_positive(heads=heads, head_size=head_size)
