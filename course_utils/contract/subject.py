"""The attention under audit: called in its own convention, answering in ours."""

import contextlib
import copy
import inspect
import io
import textwrap
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from course_utils.contract.calling import Answer, WrongAnswer, arguments, read
from course_utils.contract.cases import SEEDS, WIDE, Dims, Inputs, draw, shapes
from course_utils.contract.convention import Convention, takes

ASKS = (  # how attentions are asked for their weights
    *("need_weights", "output_attentions", "return_weights", "return_attention", "return_attn", "return_attn_weights"),
    *("return_attention_scores", "return_attn_probs", "return_attention_weights"),
)
DROPS = "training mode with dropout 0.5"  # of a copy in which every dropout is this high
HALF = 0.5


class Subject:
    """An attention and its convention. Modules are copied first, so that an audit leaves them as they were."""

    def __init__(self, attention: Any, convention: Convention, candidates: list[Dims] | None = None) -> None:
        self.convention = convention
        self.is_module = isinstance(attention, nn.Module)
        self.attention = copy.deepcopy(attention) if self.is_module and candidates is None else attention
        self.modes: tuple[str, ...] = ("training mode", "evaluation mode") if self.is_module else ("evaluation mode",)
        if self.is_module and _dropouts(self.attention):
            self.modes += (DROPS,)
        self._copies: dict[tuple[torch.dtype, bool], Any] = {}
        if candidates:  # a short try, on a copy that somebody else made
            self._copies[torch.float32, False] = attention
        self._drawn: dict[tuple[Dims, int], Inputs] = {}
        where = next(iter(self.attention.parameters()), torch.empty(0)).device if self.is_module else "cpu"
        self.device = torch.device(convention.device or where)
        tensors = len(convention.order.split())
        call = self.attention.forward if self.is_module else attention
        self.wants_mask = convention.mask is not None and not takes(call, tensors, convention.arguments)
        self.asks = convention.asks or next((name for name in ASKS if name in _names(call)), None)
        self.masks = True  # whether it runs with its mask; one that does not is judged without
        self.gives_weights = "weights" in str(convention.returns)
        self.problem = ""  # why it does not run
        self.dims = self._probe(shapes(convention) if candidates is None else candidates)
        if candidates is None:
            self.dims = self.dims or self._probe(shapes(convention, WIDE))

    def _probe(self, candidates: list[Dims]) -> list[Dims]:
        working = []
        for dims in candidates:
            try:
                self.gives_weights = self(self.draw(dims, 0)).weights is not None
                working.append(dims)
            except Exception as error:  # whatever it raises is a result
                self.problem = self.problem or _told(error)
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

    def __call__(self, given: Inputs, mode: str = "evaluation mode", grad=False, seed: int = 0, keep=False) -> Answer:
        """Calls it on copies of the input, always with the same random numbers; `keep` hands over the tensors."""
        tensors, keywords = self.arguments(given, keep)
        return read(self.convention, self.run(tensors, keywords, given.query.dtype, mode, grad, seed), given)

    def arguments(self, given: Inputs, keep: bool = False) -> tuple[list, dict]:
        """The arguments in its own convention."""
        return arguments(self.convention, given, self.wants_mask, keep)

    def run(
        self, tensors: list, keywords: dict, dtype: torch.dtype, mode: str = "evaluation mode", grad=False, seed=0
    ) -> Any:
        """Calls it as it is, and gives what it returns."""
        attention = self.copy(dtype, mode == DROPS)
        if self.is_module:
            attention.train(mode != "evaluation mode")
        torch.default_generator.manual_seed(seed)  # torch.manual_seed also looks for every device, which takes longer
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)
        with torch.set_grad_enabled(grad or mode != "evaluation mode"):
            return attention(*tensors, **keywords)

    def copy(self, dtype: torch.dtype, drops: bool = False) -> Any:
        """The copy that is called for a type, or for a type with every dropout high; of a function, the function."""
        if not self.is_module:
            return self.attention
        if (dtype, drops) not in self._copies:
            made = copy.deepcopy(self.attention).to(dtype)
            for module, name in _dropouts(made) if drops else []:
                setattr(module, name, HALF)
            self._copies[dtype, drops] = made
        return self._copies[dtype, drops]


def _dropouts(attention: nn.Module) -> list[tuple[nn.Module, str]]:
    """Where an attention keeps how much it drops: every nn.Dropout, and numbers that are called so."""
    found: list[tuple[nn.Module, str]] = []
    for module in attention.modules():
        if isinstance(module, nn.Dropout):
            found.append((module, "p"))
        found += [(module, name) for name, value in vars(module).items() if "drop" in name and type(value) is float]
    return found


def _names(call: Callable) -> list[str]:
    try:
        return list(inspect.signature(call).parameters)
    except (TypeError, ValueError):  # a builtin has no signature
        return []


def _told(error: Exception) -> str:
    """The sentence on an exception, with the last line that is neither ours nor PyTorch's."""
    ours = (str(Path(__file__).parent), str(Path(torch.__file__).parent))
    frames = [one for one in traceback.extract_tb(error.__traceback__) if not one.filename.startswith((*ours, "<"))]
    if not frames:
        return explain(error)
    return f"{explain(error).rstrip('.')} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})."


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
