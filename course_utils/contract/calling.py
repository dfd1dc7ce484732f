"""Between our axes and a convention's: the arguments of a call, and what it returned."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from course_utils.contract.cases import Inputs
from course_utils.contract.convention import Convention
from course_utils.contract.patterns import arrange, restore, shape_of

TENSOR_AXES = "batch heads length size"
WEIGHT_AXES = "batch heads query key"


class WrongAnswer(Exception):
    """The attention ran, but what it returned is not what its convention says."""


@dataclass(frozen=True)
class Answer:
    """One call's context (batch, heads, query, value size) and weights (batch, heads, query, key), or None."""

    context: Tensor
    weights: Tensor | None


def arguments(convention: Convention, given: Inputs, wants_mask: bool, keep: bool = False) -> tuple[list, dict]:
    """The arguments in a convention: fresh copies, or with `keep` tensors that lead back to the input's."""
    tensors = []
    for name in convention.order.split():
        tensor = {"source": given.query, "memory": given.key}.get(name)
        tensor = getattr(given, name) if tensor is None else tensor
        tensors.append(arrange(tensor if keep else tensor.detach(), TENSOR_AXES, convention.layout).clone())
    keywords, mask = dict(convention.arguments), given.mask
    if mask is None and wants_mask:
        shape = (given.dims.batch, convention.heads, given.dims.queries, given.dims.keys)
        mask = torch.ones(shape, dtype=torch.bool, device=given.query.device)
    if mask is not None:
        mask = in_convention(convention, arrange(mask, WEIGHT_AXES, convention.mask_axes), given.query.dtype)
        if convention.mask_name:
            keywords[convention.mask_name] = mask
        else:
            tensors.append(mask)
    return tensors, keywords


def in_convention(convention: Convention, mask: Tensor, dtype: torch.dtype) -> Tensor:
    """A mask, True = may attend, as the convention says it."""
    if convention.mask == "lengths":
        return mask.sum(-1)
    if convention.mask == "additive":
        return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill(~mask, -torch.inf)
    mask = ~mask if convention.mask == "hidden" else mask.clone()
    return {"bool": mask, "int": mask.long(), "float": mask.to(dtype)}[convention.mask_type]


def read(convention: Convention, returned: Any, given: Inputs) -> Answer:
    """Takes context and weights from what it returned. Raises WrongAnswer where that is something else."""
    dims = given.dims
    if callable(convention.returns):
        returned = convention.returns(returned)
        names = ["context", "weights"] if isinstance(returned, tuple | list) else ["context"]
    elif convention.returns == "first":
        returned, names = returned[0] if isinstance(returned, tuple | list) else returned, ["context"]
    else:
        names = convention.returns.split()
    parts = list(returned) if isinstance(returned, tuple | list) else [returned]
    named = dict(zip(names, parts, strict=False))
    if named.get("weights", parts) is None:  # they were not asked for
        del named["weights"]
    if len(parts) != len(names) or not all(isinstance(part, Tensor) for part in named.values()):
        raise WrongAnswer(f"It returned {_kinds(returned)}; its convention says {' and '.join(names)}.")
    size = named["context"].shape[-1] if convention.projects and named["context"].dim() else given.value.shape[-1]
    sizes = {"batch": dims.batch, "query": dims.queries, "key": dims.keys, "length": dims.queries, "size": size}
    sizes["heads"] = convention.heads
    context = _axes("context", named["context"], TENSOR_AXES, convention.layout, sizes)
    if "weights" not in named:
        return Answer(context, None)
    return Answer(context, _axes("weights", named["weights"], WEIGHT_AXES, convention.weights_axes, sizes))


def _axes(name: str, tensor: Tensor, axes: str, pattern: str, sizes: Mapping[str, int]) -> Tensor:
    if tuple(tensor.shape) != (expected := shape_of(pattern, sizes)):
        raise WrongAnswer(f"Its {name} has the shape {tuple(tensor.shape)}, expected {expected}.")
    return restore(tensor, axes, pattern, sizes)


def _kinds(returned: Any) -> str:
    if returned is None:
        return "None (is there a `return`?)"
    if isinstance(returned, Tensor):
        return "one tensor"
    if isinstance(returned, tuple | list):
        return f"{len(returned)} things ({', '.join(type(part).__name__ for part in returned)})"
    return f"a {type(returned).__name__}"
