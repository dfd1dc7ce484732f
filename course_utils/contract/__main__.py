"""The contract in a shell: `python -m course_utils.contract package.module:name`. Exit status 1 when a clause fails."""

import argparse
import ast
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from course_utils.contract import audit
from course_utils.contract.convention import MASKS

EPILOG = """examples:
  python -m course_utils.contract course_utils.attention:attend
  python -m course_utils.contract torch.nn.functional:scaled_dot_product_attention
  python -m course_utils.contract torch.nn:MultiheadAttention --build "12, 3, batch_first=True"
  python -m course_utils.contract my_package.my_module:attention --mask hidden --returns context
"""


def find(address: str) -> Any:
    """What stands at `package.module:name`. Raises ValueError that says which part is not there."""
    module, _, name = address.partition(":")
    if not module or not name:
        raise ValueError(f"address: got {address!r}, expected package.module:name")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))  # so that a file in the working folder is found, however this was started
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise ValueError(f"address: there is no module {error.name!r}, looking from {Path.cwd()}") from None
        raise ValueError(f"address: the module {module!r} needs {error.name!r}, which is not installed") from None
    for part in name.split("."):
        if not hasattr(found, part):
            raise ValueError(f"address: the module {module!r} has no {name!r}")
        found = getattr(found, part)
    return found


def build(made: Callable, text: str) -> Any:
    """Calls a class with arguments that are written as in Python: `12, 3, batch_first=True`.

    Raises ValueError for text that is not such a list of plain values.
    """
    try:
        call = ast.parse(f"f({text})", mode="eval").body
        positional = [ast.literal_eval(one) for one in call.args]
        keywords = {one.arg: ast.literal_eval(one.value) for one in call.keywords}
    except (SyntaxError, ValueError, AttributeError):
        raise ValueError(f"--build: got {text!r}, expected arguments such as 12, 3, batch_first=True") from None
    return made(*positional, **keywords)


def parser() -> argparse.ArgumentParser:
    """The options: each declares a part of the convention."""
    options = argparse.ArgumentParser(
        prog="python -m course_utils.contract",
        description="Puts an attention through every clause of the contract that applies to it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("address", metavar="package.module:name", help="a function, a module, or a class with --build")
    options.add_argument("--build", metavar="ARGUMENTS", help='what the class is built with, as in "12, 3"')
    options.add_argument("--order", help='the arguments in order: "query key value", "query memory" or "source"')
    options.add_argument("--mask", choices=[*MASKS, "none"], help="what a mask says")
    options.add_argument("--mask-name", help="the mask's keyword; without it, the mask follows the tensors")
    options.add_argument("--mask-shape", help='the axes of the mask, as in "batch 1 query key"')
    options.add_argument("--layout", help='the axes of the tensors, as in "length batch size"')
    options.add_argument("--returns", help='"context", "context weights" or "weights context"')
    options.add_argument("--weights-shape", help="the axes of the weights")
    options.add_argument("--size", type=int, help="the size that it was built for")
    options.add_argument("--key-size", type=int)
    options.add_argument("--value-size", type=int)
    options.add_argument("--heads", type=int)
    options.add_argument("--rule", choices=["scaled dot", "none"], help="how it scores")
    options.add_argument("--empty-rows", choices=["zero", "finite"], help="what a row with nothing to look at gives")
    for flag, help_text in (
        ("--projects", "parameters stand between the values and the output"),
        ("--causal", "it hides the future by itself"),
        ("--positions", "it knows where a key stands"),
    ):
        options.add_argument(flag, action="store_true", default=None, help=help_text)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Audits what the arguments name. Gives 0 when every clause holds, 1 when one fails, 2 for wrong arguments."""
    given = vars(parser().parse_args(arguments))
    address, text = given.pop("address"), given.pop("build")
    declared = {name: None if value == "none" else value for name, value in given.items() if value is not None}
    try:
        attention = find(address)
        if text is not None:
            attention = build(attention, text)
        elif isinstance(attention, type):
            raise ValueError(f'address: {address} is a class; say what it is built with, as in --build "12, 3"')
        report = audit(attention, name=address.rpartition(":")[2], **declared)
    except (ValueError, TypeError) as problem:
        print(problem, file=sys.stderr)
        return 2
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
