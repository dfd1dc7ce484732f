"""The command behind `python course.py site`."""

import argparse
import sys
import webbrowser
from pathlib import Path

from course_utils.terminal import print_anyway
from website.build import SITE, build


def main() -> int:
    """Builds the site, and shows it where that is wanted."""
    print_anyway()
    ask = argparse.ArgumentParser(prog="python course.py site")
    ask.add_argument("lessons", nargs="*", help="their names or numbers (default: all)")
    ask.add_argument("--open", action="store_true", help="show it in your browser")
    ask.add_argument("--into", type=Path, default=SITE, help="another folder, which is made anew")
    said = ask.parse_args()
    from website.lessons import stems

    chosen = [stem for stem in stems() if any(stem.startswith(name) for name in said.lessons)]
    if said.lessons and not chosen:
        ask.error(f"no such lesson: {' '.join(said.lessons)}; there are {' '.join(stems())}")
    try:
        first = build(said.into.resolve(), chosen)
    except RuntimeError as error:
        print(error)
        return 1
    if said.open:
        webbrowser.open(first.as_uri())
    return 0


if __name__ == "__main__":
    sys.exit(main())
