"""Runs a module (`python ends_with_us.py pip install …`) that ends when the program that started it ends.

That program holds the other end of our standard input. When it ends, even killed, the operating system closes the
pipe, and so do we, on Linux, macOS and Windows alike.
"""

import os
import runpy
import sys
import threading


def watch(pipe: int) -> None:
    """Waits until the other end of the pipe is closed, then ends this process at once."""
    while os.read(pipe, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    pipe = os.dup(0)  # a private end: what the module starts in its turn must not hold it
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    threading.Thread(target=watch, args=(pipe,), daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
