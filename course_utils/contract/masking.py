"""Finds how an attention wants its mask: by which name, of which axes, and what True says."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from course_utils.contract.convention import Convention
from course_utils.contract.hiding import random_mask
from course_utils.contract.probing import hides, try_it
from course_utils.contract.reading import Reading
from course_utils.contract.subject import Subject

MASK_SHAPES = (
    *("batch query key", "batch 1 query key", "batch heads query key", "batch*heads query key", "batch key"),
    *("batch 1 1 key", "batch 1 key", "query key"),
)
MEANINGS = (("attend", "bool"), ("hidden", "bool"), ("additive", "bool"), ("attend", "int"), ("attend", "float"))


def with_mask_found(attention: Callable, convention: Convention, reading: Reading) -> Convention:
    """The first mask that hides what it should; else the first with which it runs; else none."""
    runs = None
    names = list(reading.masks) or ["attn_mask", "mask"]
    plain = {name: what for name, what in convention.arguments.items() if name not in names}
    for name, shape, (mask, kind) in itertools.product(names, mask_shapes(convention), MEANINGS):
        lengths = "len" in name
        if lengths and (shape, mask) != ("batch key", "attend"):
            continue
        said: dict[str, Any] = {
            "mask": "lengths" if lengths else mask,
            "mask_type": kind,
            "mask_name": name,
            "mask_shape": shape,
        }
        one = replace(
            convention, **said, arguments=plain, weights_shape=convention.weights_shape or convention.weights_axes
        )
        try:
            subject = try_it(attention, one)
            if subject is not None and hides(subject):
                return _short(one)
            runs = runs or (one if subject is not None and _takes(subject) else None)
        except Exception:
            continue
    return _short(runs) if runs is not None else convention


def mask_shapes(convention: Convention) -> list[str]:
    """The axes that a mask may have, the most telling first."""
    heads = convention.heads > 1 or convention.has_heads_axis
    return [
        one for one in MASK_SHAPES if (heads or "heads" not in one) and (convention.has_batch or "batch" not in one)
    ]


def _takes(subject: Subject) -> bool:
    return bool(subject(random_mask(subject.convention, subject.draw(subject.dims[0], 0))).context.numel())


def _short(convention: Convention) -> Convention:
    """The same without what it says by default."""
    default = Convention(layout=convention.layout)
    if convention.mask_shape == default.mask_axes:
        convention = replace(convention, mask_shape=None)
    if convention.weights_shape == convention.weights_axes and convention.weights_shape == default.weights_axes:
        convention = replace(convention, weights_shape=None)
    return convention if "weights" in str(convention.returns) else replace(convention, weights_shape=None)
