"""How an attention wants to be called: its conventions, declared in one line."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import torch.nn.functional as F
from torch import nn

SOURCES = ("query", "key", "value", "memory", "source")  # memory: key and value at once; source: all three at once
AXES = {  # which axes a pattern may name
    "layout": {"batch", "heads", "length", "size"},
    "mask_shape": {"batch", "heads", "query", "key"},
    "weights_shape": {"batch", "heads", "query", "key"},
}
MASKS = {
    "attend": "True = may attend",
    "hidden": "True = hidden",
    "additive": "0 = may attend, −inf = hidden",
    "lengths": "how many of the keys are real",
}
TYPES = ("bool", "int", "float")  # of a mask that says attend or hidden; ints and floats are 1 and 0
RETURNS = ("context", "context weights", "weights context", "first")  # first: the context, and more that is not read
MIXING = ("mean", "difference", "free")


@dataclass(frozen=True)
class Convention:
    """What an attention declares of itself; without arguments, the convention of this course.

    Patterns are axes in words, in order: "batch length size"; "1" is an axis of size 1, "batch*heads" two in one.
    Raises ValueError for a word that is not known, and for sizes that do not fit.
    """

    order: str = "query key value"  # or "source" (self-attention of one source), or "query memory"
    mask: str | None = "attend"  # or "hidden", "additive", "lengths"; None: it takes no mask
    mask_name: str | None = None  # the mask's keyword; None: it follows the tensors, by position
    mask_shape: str | None = None  # None: the axes before "length size", then "query key"
    mask_type: str = "bool"  # or "int", "float": True as 1
    layout: str = "batch length size"
    returns: str | Callable[[Any], Any] = "context weights"  # or another of RETURNS, or a function that gives both
    weights_shape: str | None = None  # None: as the mask's shape
    asks: str | None = None  # the keyword that asks for the weights; None: looked for among the usual ones
    size: int | None = None  # None: any size; a number: what the module was built for
    key_size: int | None = None  # None: the size of the query
    value_size: int | None = None  # None: any size, or `size` where that is given
    heads: int = 1
    equal_lengths: bool = False  # it takes as many queries as keys, no other number
    projects: bool = False  # parameters stand between the values and the output
    causal: bool = False  # it hides the future by itself, without a mask; the last query sees every key
    window: int | None = None  # it looks so many keys to each side, by itself; if causal, so many back
    positions: bool | str = False  # True: it knows where a key stands; "relative": how far from the query
    rule: str | None = "scaled dot"  # None: it scores in another way
    mixing: str = "mean"  # "difference": rows sum to another number, weights may be negative; "free": any weights
    reference: Callable[..., Any] | str | None = None  # what it should equal, called as this course calls attention;
    # "projections": PyTorch's function between the module's own projections, which are found by their names
    empty_rows: str = "zero"  # or "finite", for one that decided otherwise
    arguments: Mapping[str, Any] = field(default_factory=dict)  # keywords that every call needs
    device: str | None = None  # None: where the module's parameters are

    def __post_init__(self) -> None:
        _require_words("order", self.order.split(), SOURCES)
        given = set(self.order.split())
        if given not in ({"query", "key", "value"}, {"query", "memory"}, {"source"}):
            raise ValueError(
                f"order: got {self.order!r}, expected query, key and value, or query and memory, or source"
            )
        _require_words("mask", [self.mask], (*MASKS, None))
        _require_words("rule", [self.rule], ("scaled dot", None))
        _require_words("empty_rows", [self.empty_rows], ("zero", "finite"))
        if isinstance(self.returns, str):
            _require_words("returns", [self.returns], RETURNS)
        _require_words("mask_type", [self.mask_type], TYPES)
        _require_words("mixing", [self.mixing], MIXING)
        _require_words("positions", [self.positions], (False, True, "relative"))
        if self.window is not None and self.window < 0:
            raise ValueError(f"window: got {self.window}, expected 0 or more keys to each side")
        for name, axes in AXES.items():
            if getattr(self, name) is not None:
                _require_words(name, getattr(self, name).replace("*", " ").split(), sorted(axes | {"1"}))
        if not {"length", "size"} <= set(self.layout.split()):
            raise ValueError(f"layout: got {self.layout!r}, expected length and size among its axes")
        if self.heads < 1 or (self.size is not None and self.size % self.heads and not self.has_heads_axis):
            raise ValueError(f"heads: got {self.heads}, expected a divisor of the size {self.size}")

    @property
    def has_batch(self) -> bool:
        """Whether its tensors have an axis for the batch."""
        return "batch" in self.layout.split()

    @property
    def has_heads_axis(self) -> bool:
        """Whether its tensors have an axis for the heads."""
        return "heads" in self.layout.split()

    @property
    def one_source(self) -> bool:
        """Whether query, key and value are one tensor."""
        return self.order == "source"

    @property
    def square(self) -> bool:
        """Whether its clauses meet it with as many queries as keys."""
        return self.equal_lengths or self.one_source or self.causal or self.window is not None

    @property
    def mask_axes(self) -> str:
        """The pattern of the mask."""
        if self.mask == "lengths":
            return "batch key"  # it says no more than a mask of these axes
        return self.mask_shape or self._leading("query key")

    @property
    def weights_axes(self) -> str:
        """The pattern of the weights."""
        return self.weights_shape or self._leading("query key")

    def _leading(self, rest: str) -> str:
        return " ".join([axis for axis in ("batch", "heads") if axis in self.layout.split()] + [rest])


def known(attention: Any) -> Convention:
    """The convention of PyTorch's own attentions, and for anything else that of this course."""
    if attention is F.scaled_dot_product_attention:
        return Convention(layout="batch heads length size", heads=2, returns="context")
    if isinstance(attention, nn.MultiheadAttention):
        return Convention(
            layout="batch length size" if attention.batch_first else "length batch size",
            mask="hidden",
            mask_name="attn_mask",
            mask_shape="batch*heads query key",
            weights_shape="batch query key",  # the mean over the heads
            size=attention.embed_dim,
            key_size=attention.kdim,
            value_size=attention.vdim,
            heads=attention.num_heads,
            projects=True,
        )
    return Convention()


def settings() -> tuple[str, ...]:
    """The names of everything that a convention declares."""
    return tuple(one.name for one in fields(Convention))


def takes(attention: Callable, tensors: int, keywords: Mapping[str, Any]) -> bool:
    """Whether it can be called with so many tensors and no mask; where that cannot be known, yes."""
    try:
        inspect.signature(attention).bind(*range(tensors), **keywords)
    except TypeError:
        return False
    except ValueError:  # a builtin has no signature
        return True
    return True


def _require_words(argument: str, words: list, allowed: tuple | list) -> None:
    for word in words:
        if word not in allowed:
            raise ValueError(f"{argument}: got {word!r}, expected {', '.join(map(str, allowed))}")
