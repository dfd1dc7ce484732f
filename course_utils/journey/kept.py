"""The file in which the checks keep what was done: its format, a state for each exercise, and the last."""

from __future__ import annotations

import json

FORMAT = 1
STATES = ("passed", "wrong", "not yet")


def states_in(text: str) -> tuple[dict[str, str], str | None]:
    """Reads the states of exercises by key ("2.1"), and the key that was checked last.

    Raises ValueError, KeyError, TypeError or AttributeError for a text that is no such file.
    """
    content = json.loads(text)
    if content["format"] != FORMAT:
        raise ValueError(f"format: got {content['format']!r}, expected {FORMAT}")
    states = content["exercises"]
    if not all(isinstance(key, str) and state in STATES for key, state in states.items()):
        raise ValueError("exercises: got something else, expected a state for each key")
    return dict(states), content.get("last")
