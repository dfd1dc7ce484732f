"""A reference for a module with projections: PyTorch's own function between the module's own layers."""

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

PARTS = {  # what is left of a layer's name without the words that every layer has → what it projects
    **dict.fromkeys(("q", "qs", "query", "queries"), "query"),
    **dict.fromkeys(("k", "ks", "key", "keys"), "key"),
    **dict.fromkeys(("v", "vs", "value", "values"), "value"),
    **dict.fromkeys(("o", "out", "output", "", "c"), "output"),
    **dict.fromkeys(("qkv", "in", "attn", "cattn"), "query key value"),
    **dict.fromkeys(("kv", "keyvalue"), "key value"),
}
WORDS = ("projection", "project", "proj", "linears", "linear", "layer", "weight", "dense", "lin", "to", "fc", "w")


def from_projections(module: Any, heads: int) -> Callable[..., Tensor]:
    """PyTorch's function between the layers of a module, told by their names: query, to_q, W_k, v_proj, qkv, out …

    Groups of heads (fewer heads for keys and values than for queries) are told by the sizes. Raises ValueError for
    something that is no module, and where a layer for the query, the key or the value is not found.
    """
    if not isinstance(module, nn.Module):
        raise ValueError(f"reference: got {type(module).__name__} with 'projections', expected a module")
    layers = _layers(module)
    missing = {"query", "key", "value"} - {part for name in layers for part in name.split()}
    if missing:
        names = ", ".join(name for name, _ in module.named_children()) or "none"
        raise ValueError(
            f"reference: got 'projections', and no layer for the {' and the '.join(sorted(missing))} among: {names}, "
            "expected a function of query, key, value and mask"
        )

    def reference(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        sources = {"query": query, "key": key, "value": value}
        made: dict[str, Tensor] = {}
        for name, layer in layers.items():
            parts = name.split()
            if name != "output":
                made |= {part: layer(sources[part]).chunk(len(parts), -1)[place] for place, part in enumerate(parts)}
        size = made["query"].shape[-1] // heads
        split = {part: tensor.unflatten(-1, (-1, size)).transpose(-3, -2) for part, tensor in made.items()}
        groups = split["key"].shape[-3]
        key, value = (split[part].repeat_interleave(heads // groups, -3) for part in ("key", "value"))
        context = F.scaled_dot_product_attention(split["query"], key, value, attn_mask=mask.unsqueeze(-3))
        context = context.transpose(-3, -2).flatten(-2)
        return layers["output"](context) if "output" in layers else context

    return reference


def _layers(module: nn.Module) -> dict[str, Callable[[Tensor], Tensor]]:
    if isinstance(module, nn.MultiheadAttention) and module.in_proj_weight is not None:
        weight, bias = module.in_proj_weight, module.in_proj_bias
        return {"query key value": lambda tensor: F.linear(tensor, weight, bias), "output": module.out_proj}
    found: dict[str, Callable[[Tensor], Tensor]] = {}
    for name, child in module.named_modules():
        own = name.rpartition(".")[2] if not name.rpartition(".")[2].isdigit() else name.replace(".", "_")
        if name and isinstance(getattr(child, "weight", None), Tensor) and child.weight.dim() == 2:
            part = PARTS.get(_bare(own))
            if part is not None:
                found.setdefault(part, child)
    return found


def _bare(name: str) -> str:
    parts = [part for part in name.lower().split("_") if part not in WORDS and not part.isdigit()]
    bare = "".join(parts)
    for word in WORDS[:-2]:
        bare = bare.removesuffix(word).removeprefix(word)
    return bare.removeprefix("w") if len(bare) == 2 else bare
