"""How far a training has come: a bar where a person looks on, a plain line now and then where none does."""

import os
import sys
import time

from tqdm import tqdm

EVERY = 30.0  # seconds between plain lines


def _watched() -> bool:
    """Says whether a person may look on: in a notebook or a terminal."""
    return "ipykernel" in sys.modules or sys.stdout.isatty()


def _silenced() -> bool:
    """Says whether the environment wants no sign of progress: ATTENTION_COURSE_PROGRESS=0."""
    return os.environ.get("ATTENTION_COURSE_PROGRESS") == "0"


def bar(steps: int, label: str = "") -> tqdm:
    """Gives the steps 0, 1, … with a bar where a person looks on, unless the environment says no."""
    # To stdout, since notebooks colour stderr as an error; leave=False, so that nothing of it remains when it ends.
    hidden = _silenced() or not _watched()
    return tqdm(range(steps), desc=label or None, file=sys.stdout, leave=False, disable=hidden)


class RunBar:
    """Shows share, loss, speed and remaining time of a long run, as a bar or in plain lines."""

    def __init__(self, label: str, shown: bool = True) -> None:
        self.silent = not shown or _silenced()
        self.bar = None
        if _watched() and not self.silent:
            layout = f"{label} {{percentage:3.0f}} %|{{bar}}| {{desc}}"
            self.bar = tqdm(total=1.0, file=sys.stdout, leave=False, bar_format=layout)
        self.label, self.said = label, time.monotonic()

    def show(self, share: float, loss: float, tokens_per_second: float, remaining: float) -> None:
        """Tells where the run is; `remaining` is in seconds."""
        if self.silent:
            return
        text = f"loss {loss:.3f}, {tokens_per_second:,.0f} tokens/s, {_clock(remaining)} left"
        if self.bar is not None:
            self.bar.set_description_str(text, refresh=False)
            self.bar.n = min(share, 1.0)
            self.bar.refresh()
        elif time.monotonic() - self.said >= EVERY:
            self.said = time.monotonic()
            print(f"{self.label} {share:4.0%}: {text}", flush=True)

    def __enter__(self) -> "RunBar":
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(max(seconds, 0.0)), 60)
    return f"{minutes}:{seconds:02d}"
