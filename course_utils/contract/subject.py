"""The attention under audit: called in its own convention, answering in ours."""

import contextlib
import copy
import io
import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.contract.cases import SEEDS, WIDE, Dims, Inputs, draw, shapes
from course_utils.contract.convention import Convention, takes
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


class Subject:
    """An attention and its convention. Modules are copied first, so that an audit leaves them as they were."""

    def __init__(self, attention: Callable, convention: Convention) -> None:
        self.convention = convention
        self.is_module = isinstance(attention, nn.Module)
        self.attention = copy.deepcopy(attention) if self.is_module else attention
        self.modes = ("training", "evaluation") if self.is_module else ("evaluation",)
        self._copies: dict[torch.dtype, Callable] = {}
        self._drawn: dict[tuple[Dims, int], Inputs] = {}
        where = next(iter(self.attention.parameters()), torch.empty(0)).device if self.is_module else "cpu"
        self.device = torch.device(convention.device or where)
        tensors = len(convention.order.split())
        call = self.attention.forward if self.is_module else attention
        self.wants_mask = convention.mask is not None and not takes(call, tensors, convention.arguments)
        self.steady = True
        self.gives_weights = "weights" in str(convention.returns)
        self.problem = ""  # why it does not run
        self.dims = self._probe(shapes(convention)) or self._probe(shapes(convention, WIDE))

    def _probe(self, candidates: list[Dims]) -> list[Dims]:
        working = []
        for dims in candidates:
            try:
                self.gives_weights = self(self.draw(dims, 0)).weights is not None
                working.append(dims)
            except Exception as error:  # whatever it raises is a result
                self.problem = self.problem or explain(error)
        return working

    def plain(self) -> Iterator[Inputs]:
        """Every input without a mask with which it runs, the smallest first."""
        for dims in self.dims:
            for seed in SEEDS:
                yield self.draw(dims, seed)

    def draw(self, dims: Dims, seed: int) -> Inputs:
        """One input without a mask; the same one every time."""
        if (dims, seed) not in self._drawn:
            self._drawn[dims, seed] = draw(self.convention, dims, seed, self.device)
        return self._drawn[dims, seed]

    def __call__(
        self, given: Inputs, mode: str = "evaluation", grad: bool = False, seed: int = 0, keep: bool = False
    ) -> Answer:
        """Calls it on copies of the input, always with the same random numbers; `keep` hands over the tensors."""
        arguments, keywords = self.arguments(given, keep)
        return self.read(self.run(arguments, keywords, given.query.dtype, mode, grad, seed), given)

    def run(
        self, arguments: list, keywords: dict, dtype: torch.dtype, mode: str = "evaluation", grad=False, seed: int = 0
    ) -> Any:
        """Calls it as it is, and gives what it returns."""
        attention = self._as(dtype)
        if self.is_module:
            attention.train(mode == "training")
        torch.default_generator.manual_seed(seed)  # torch.manual_seed also looks for every device, which takes longer
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)
        with torch.set_grad_enabled(grad or mode == "training"):
            return attention(*arguments, **keywords)

    def arguments(self, given: Inputs, keep: bool = False) -> tuple[list, dict]:
        """The arguments in its own convention: fresh copies, or with `keep` tensors that lead back to the input's."""
        convention, own = self.convention, {}
        for name in convention.order.split():
            tensor = {"source": given.query, "memory": given.key}.get(name)
            tensor = getattr(given, name) if tensor is None else tensor
            own[name] = arrange(tensor if keep else tensor.detach(), TENSOR_AXES, convention.layout).clone()
        tensors, keywords = list(own.values()), dict(convention.arguments)
        mask = given.mask
        if mask is None and self.wants_mask:
            shape = (given.dims.batch, convention.heads, given.dims.queries, given.dims.keys)
            mask = torch.ones(shape, dtype=torch.bool, device=self.device)
        if mask is not None:
            mask = arrange(mask, WEIGHT_AXES, convention.mask_axes).clone()
            if convention.mask == "hidden":
                mask = ~mask
            elif convention.mask == "additive":
                mask = torch.zeros(mask.shape, dtype=given.query.dtype, device=self.device).masked_fill(
                    ~mask, -torch.inf
                )
            if convention.mask_name:
                keywords[convention.mask_name] = mask
            else:
                tensors.append(mask)
        return tensors, keywords

    def read(self, returned: Any, given: Inputs) -> Answer:
        """Takes context and weights from what it returned. Raises WrongAnswer where that is something else."""
        convention, dims = self.convention, given.dims
        if callable(convention.returns):
            returned = convention.returns(returned)
            names = ["context", "weights"] if isinstance(returned, tuple | list) else ["context"]
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
        context = self._axes("context", named["context"], TENSOR_AXES, convention.layout, sizes)
        if "weights" not in named:
            return Answer(context, None)
        return Answer(context, self._axes("weights", named["weights"], WEIGHT_AXES, convention.weights_axes, sizes))

    def _axes(self, name: str, tensor: Tensor, axes: str, pattern: str, sizes: dict[str, int]) -> Tensor:
        if tuple(tensor.shape) != (expected := shape_of(pattern, sizes)):
            raise WrongAnswer(f"Its {name} has the shape {tuple(tensor.shape)}, expected {expected}.")
        return restore(tensor, axes, pattern, sizes)

    def _as(self, dtype: torch.dtype) -> Callable:
        if not self.is_module:
            return self.attention
        if dtype not in self._copies:
            self._copies[dtype] = copy.deepcopy(self.attention).to(dtype)
        return self._copies[dtype]


@contextmanager
def undisturbed() -> Iterator[None]:
    """Silences what an attention prints and warns, and gives the caller's random state and threads back."""
    devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the inputs are tiny: a second thread would only wait, and take four times as long
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(), torch.random.fork_rng(devices):
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.set_num_threads(threads)


def explain(error: Exception) -> str:
    """One sentence on an exception."""
    if isinstance(error, WrongAnswer):
        return str(error)
    text = (str(error).strip() or "without a message").splitlines()[0]
    return f"It raised {type(error).__name__}: {textwrap.shorten(text, 120, placeholder=' …').rstrip('.')}."


def _kinds(returned: Any) -> str:
    if returned is None:
        return "None (is there a `return`?)"
    if isinstance(returned, Tensor):
        return "one tensor"
    if isinstance(returned, tuple | list):
        return f"{len(returned)} things ({', '.join(type(part).__name__ for part in returned)})"
    return f"a {type(returned).__name__}"
