"""What an attention says of itself without being called: the names of its arguments, its sizes, its heads."""

import inspect
from dataclasses import dataclass, field
from typing import Any

from torch import nn

ROLES = {
    **dict.fromkeys(("q", "query", "queries", "queue", "query_states", "query_layer", "xq", "target", "tgt"), "query"),
    **dict.fromkeys(("k", "key", "keys", "key_states", "key_layer", "xk"), "key"),
    **dict.fromkeys(("v", "value", "values", "value_states", "value_layer", "val", "xv"), "value"),
    **dict.fromkeys(("context", "memory", "kv", "encoder_hidden_states", "encoder_outputs", "key_value"), "memory"),
    **dict.fromkeys(("key_value_states", "context_states", "keys_values", "encoder_output"), "memory"),
    **dict.fromkeys(("x", "src", "source", "input", "inputs", "hidden_states", "hidden", "sequence", "emb"), "source"),
}
MASKLIKE = ("mask", "bias", "valid_len", "lengths", "padding", "pad")
WILD = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
KINDS = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
SIZES = (
    *("embed_dim", "d_model", "hidden_size", "dim", "n_embd", "embedding_dim", "model_dim", "in_features", "size"),
    *(
        "num_hiddens",
        "in_dim",
        "input_dim",
        "channels",
        "att_dim",
        "hidden_dim",
        "query_dim",
        "units",
        "in_channels",
        "dim_heads",
        "head_dim",
    ),
)
HEADS = ("num_heads", "num_attention_heads", "n_heads", "n_head", "nhead", "heads", "nheads", "head_num", "h")
PLACED = ("rotary", "rope", "alibi", "relative", "rel_pos", "position", "pos_emb")


@dataclass(frozen=True)
class Reading:
    """What was read: the tensors in order, each with its role or "", the masks, and what else must be given."""

    tensors: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    masks: list[str] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)  # what may be given, and is None otherwise
    known: bool = True  # False: it has no signature that could be read


def read_signature(attention: Any) -> Reading:
    """Reads names. An optional argument counts as a tensor only where its name is a role and follows one."""
    try:
        call = attention.forward if isinstance(attention, nn.Module) else attention
        parameters = list(inspect.signature(call).parameters.values())
        if all(one.kind in WILD for one in parameters):  # Keras: what it takes stands in `call`
            parameters = list(inspect.signature(attention.call).parameters.values())
    except (AttributeError, TypeError, ValueError):
        return Reading(known=False)
    tensors: list[str] = []
    roles: list[str] = []
    masks: list[str] = []
    wanted: list[str] = []
    others: list[str] = []
    open_ = True
    for one in parameters:
        role = ROLES.get(one.name.lower().removesuffix("_seq").removesuffix("_input"), "")
        required = one.default is inspect.Parameter.empty
        if one.kind not in (*KINDS, inspect.Parameter.KEYWORD_ONLY):
            continue
        if any(word in one.name.lower() for word in MASKLIKE) and not isinstance(one.default, bool | int | float):
            masks.append(one.name)
        elif one.kind in KINDS and open_ and not masks and (required or role) and len(tensors) < 3:
            tensors.append(one.name)
            roles.append(role)
        elif required:
            wanted.append(one.name)
        else:
            open_ = False  # behind it, no tensor can be given by its place
            others += [one.name] if one.default is None else []
    if not tensors and any(one.kind in WILD for one in parameters):
        return Reading(known=False)
    return Reading(tensors, roles, masks, wanted, others)


def orders(reading: Reading) -> list[str]:
    """The orders of arguments that the names allow, the likeliest first."""
    found, roles = [], reading.roles
    if sorted(roles) == ["key", "query", "value"]:
        found.append(" ".join(roles))
    if len(roles) == 2 and "" not in roles:
        found.append("memory query" if roles[0] == "memory" and roles[1] == "query" else "query memory")
    if roles and roles[0] == "source":
        found.insert(0, "source")
    if not reading.known or len(roles) >= 3:
        found += ["query key value", "value key query", "key query value"]
    if not reading.known or len(roles) >= 2:
        found += ["query memory"]
    if not reading.known or len(roles) >= 1:
        found += ["source"]
    return list(dict.fromkeys(found))


def size_of(attention: Any) -> list[int | None]:
    """The sizes that it may have been built for, the likeliest first; None for one without parameters."""
    if not isinstance(attention, nn.Module):
        return [None]
    found: list[int | None] = []
    for holder in (attention, getattr(attention, "config", None)):
        found += [value for name in SIZES if type(value := getattr(holder, name, None)) is int and value > 0]
    for layer in attention.modules():
        if isinstance(layer, nn.Linear):
            found.append(layer.in_features)
    shapes = [tuple(one.shape) for one in attention.parameters() if one.dim() > 1]
    found += sorted({size for shape in shapes for size in shape}, reverse=True)
    if not any(True for _ in attention.parameters()):
        return [None, *dict.fromkeys(found)][:3] + [8, 16, 32, 64]
    return list(dict.fromkeys(found))[:5] or [8]


def heads_of(attention: Any) -> int:
    """The number of its heads, as far as it says so."""
    for holder in (attention, getattr(attention, "config", None)):
        for name in HEADS:
            value = getattr(holder, name, None)
            if type(value) is int and 0 < value < 512:
                return value
    return 1


def knows_places(attention: Any) -> bool:
    """Whether a part of it is called after positions."""
    if not isinstance(attention, nn.Module):
        return False
    names = [name for name, _ in attention.named_modules()] + [name for name, _ in attention.named_parameters()]
    names += [type(part).__name__ for part in attention.modules()]
    return any(word in name.lower() for name in names for word in PLACED)
