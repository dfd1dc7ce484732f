"""Between our blocks and PyTorch's: parameters copied both ways, for layers, stacks, and the whole Transformer."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from course_utils.attention.torch_heads import copy_from_torch as heads_from_torch
from course_utils.attention.torch_heads import copy_to_torch as heads_to_torch
from course_utils.models.blocks import DecoderBlock, DecoderStack, EncoderBlock, EncoderStack
from course_utils.models.transformer import Transformer

Ours = EncoderBlock | DecoderBlock | EncoderStack | DecoderStack | Transformer


@torch.no_grad()
def copy_from_torch(source: nn.Module, target: Ours) -> None:
    """Copies the parameters of PyTorch's module into ours.

    nn.TransformerEncoderLayer goes with EncoderBlock, nn.TransformerDecoderLayer with DecoderBlock,
    nn.TransformerEncoder and nn.TransformerDecoder with the stacks, and nn.Transformer with Transformer, whose
    embeddings and last layer it does not have. Outputs are equal in evaluation mode. Raises ValueError when kinds,
    sizes, numbers of layers, norms or activations differ.
    """
    for ours, theirs in _parts(target, source):
        if isinstance(theirs, nn.MultiheadAttention):
            heads_from_torch(theirs, ours)
        else:
            _copy(theirs, ours)


@torch.no_grad()
def copy_to_torch(source: Ours, target: nn.Module) -> None:
    """Copies our parameters into PyTorch's module: the way back of `copy_from_torch`, with the same errors."""
    for ours, theirs in _parts(source, target):
        if isinstance(theirs, nn.MultiheadAttention):
            heads_to_torch(ours, theirs)
        else:
            _copy(ours, theirs)


def _parts(ours: nn.Module, theirs: nn.Module) -> Iterator[tuple]:
    """Our smallest parts beside theirs."""
    if isinstance(ours, Transformer) and isinstance(theirs, nn.Transformer):
        yield from _parts(ours.encoder, theirs.encoder)
        yield from _parts(ours.decoder, theirs.decoder)
    elif isinstance(ours, EncoderStack | DecoderStack) and _is_stack(ours, theirs):
        layers: nn.ModuleList = theirs.layers  # type: ignore[assignment]
        if len(ours.blocks) != len(layers):
            raise ValueError(f"layers: got {len(layers)} and {len(ours.blocks)}, expected the same number")
        for block, layer in zip(ours.blocks, layers, strict=True):
            yield from _parts(block, layer)
        if isinstance(ours.norm, nn.LayerNorm) != isinstance(theirs.norm, nn.LayerNorm):
            raise ValueError("norm: got a stack with a last norm and one without, expected both alike")
        if isinstance(ours.norm, nn.LayerNorm):
            yield ours.norm, theirs.norm
    elif isinstance(ours, EncoderBlock) and isinstance(theirs, nn.TransformerEncoderLayer):
        _require_alike(ours, theirs)
        yield ours.attention, theirs.self_attn
        yield from [(ours.around_attention.norm, theirs.norm1), (ours.around_feed.norm, theirs.norm2)]
        yield from [(ours.feed.widen, theirs.linear1), (ours.feed.narrow, theirs.linear2)]
    elif isinstance(ours, DecoderBlock) and isinstance(theirs, nn.TransformerDecoderLayer):
        _require_alike(ours, theirs)
        yield from [(ours.attention, theirs.self_attn), (ours.cross, theirs.multihead_attn)]
        yield from [(ours.around_attention.norm, theirs.norm1), (ours.around_cross.norm, theirs.norm2)]
        yield ours.around_feed.norm, theirs.norm3
        yield from [(ours.feed.widen, theirs.linear1), (ours.feed.narrow, theirs.linear2)]
    else:
        got = f"{type(theirs).__name__} beside {type(ours).__name__}"
        raise ValueError(f"modules: got {got}, expected PyTorch's layer, stack or Transformer beside ours")


def _is_stack(ours: nn.Module, theirs: nn.Module) -> bool:
    return isinstance(theirs, nn.TransformerEncoder if isinstance(ours, EncoderStack) else nn.TransformerDecoder)


def _require_alike(ours: EncoderBlock | DecoderBlock, theirs: nn.Module) -> None:
    if ours.around_feed.first != theirs.norm_first:
        names = ["pre" if first else "post" for first in (theirs.norm_first, ours.around_feed.first)]
        raise ValueError(f"norm: got {names[0]} and {names[1]}, expected both alike")
    if ours.feed.activation is not theirs.activation:
        raise ValueError(f"activation: got {theirs.activation} and {ours.feed.activation}, expected the same function")
    if theirs.norm1.eps != ours.around_attention.norm.eps:  # type: ignore[union-attr]
        raise ValueError(f"eps: got {theirs.norm1.eps}, expected {ours.around_attention.norm.eps}")  # type: ignore[union-attr]


def _copy(source: nn.Module, target: nn.Module) -> None:
    theirs = dict(target.named_parameters())
    for name, value in source.named_parameters():
        if name not in theirs or theirs[name].shape != value.shape:
            found: tuple | None = tuple(theirs[name].shape) if name in theirs else None
            raise ValueError(f"size: got {tuple(value.shape)} for {name}, expected {found}")
        parameter: Tensor = theirs[name]
        parameter.copy_(value)
