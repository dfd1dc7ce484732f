"""The contract in a shell: `python -m course_utils.contract package.module:name`.

Exit status: 0 every clause holds, 1 a clause fails, 2 wrong arguments, 3 an error in the code under audit.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from course_utils.contract import audit
from course_utils.contract.addressing import TheirError, build, find, values
from course_utils.contract.convention import MASKS, MIXING, TYPES

EPILOG = """examples:
  python -m course_utils.contract course_utils.attention:attend
  python -m course_utils.contract torch.nn.functional:scaled_dot_product_attention
  python -m course_utils.contract torch.nn:MultiheadAttention --build "12, 3, batch_first=True"
  python -m course_utils.contract my_package.my_module:attention --mask hidden --returns context
"""


def parser() -> argparse.ArgumentParser:
    """The options: each declares a part of the convention."""
    options = argparse.ArgumentParser(
        prog="python -m course_utils.contract",
        description="Puts an attention through every clause of the contract that applies to it. "
        "What is not declared is tried, and the report says what was found.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("address", metavar="package.module:name", help="a function, a module, or a class with --build")
    options.add_argument("--build", metavar="ARGUMENTS", help='what the class is built with, as in "12, 3"')
    options.add_argument("--json", action="store_true", help="the report as JSON, in place of the table")
    options.add_argument("--order", help='the arguments in order: "query key value", "query memory" or "source"')
    options.add_argument("--mask", choices=[*MASKS, "none"], help="what a mask says; none: it takes no mask")
    options.add_argument("--mask-name", help="the mask's keyword; without it, the mask follows the tensors")
    options.add_argument("--mask-shape", help='the axes of the mask, as in "batch 1 query key"')
    options.add_argument("--mask-type", choices=TYPES, help="the type of a mask that says attend or hidden")
    options.add_argument("--layout", help='the axes of the tensors, as in "length batch size"')
    options.add_argument("--returns", help='"context", "context weights", "weights context" or "first"')
    options.add_argument("--weights-shape", help="the axes of the weights")
    options.add_argument("--asks", metavar="NAME", help="the keyword that asks for the weights")
    options.add_argument("--argument", action="append", metavar="NAME=VALUE", help="a keyword that every call needs")
    options.add_argument("--size", type=_number, help="the size that it was built for; none: any")
    options.add_argument("--key-size", type=int)
    options.add_argument("--value-size", type=int)
    options.add_argument("--heads", type=int)
    options.add_argument("--rule", choices=["scaled dot", "none"], help="how it scores; none: in another way")
    options.add_argument("--mixing", choices=MIXING, help="what its weights are: a mean, a difference of two, or free")
    options.add_argument(
        "--reference",
        metavar="ADDRESS",
        help="what it should equal: package.module:name of a function"
        ' of query, key, value and mask, or "projections": PyTorch\'s, between its own layers',
    )
    options.add_argument("--empty-rows", choices=["zero", "finite"], help="what a row with nothing to look at gives")
    options.add_argument("--window", type=int, metavar="KEYS", help="it looks so many keys to each side, by itself")
    options.add_argument("--positions", nargs="?", const=True, choices=["relative", "none"], help="it knows positions")
    for flag, help_text in (
        ("--projects", "parameters stand between the values and the output"),
        ("--causal", "it hides the future by itself"),
        ("--equal-lengths", "it takes as many queries as keys"),
    ):
        options.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=help_text)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Audits what the arguments name. Gives the exit status."""
    given = vars(parser().parse_args(arguments))
    address, text, as_json = given.pop("address"), given.pop("build"), given.pop("json")
    declared: dict[str, Any] = {
        name: None if value == "none" else value for name, value in given.items() if value is not None
    }
    if "positions" in declared:
        declared["positions"] = declared["positions"] or False
    try:
        if "argument" in declared:
            texts = declared.pop("argument")
            declared["arguments"] = values("--argument", ", ".join(texts), "NAME=VALUE with a plain value")[1]
        if declared.get("reference", "projections") != "projections":
            declared["reference"] = find(declared["reference"])
        attention = find(address)
        if text is not None:
            attention = build(attention, text)
        elif isinstance(attention, type):
            raise ValueError(f'address: got {address}, a class, expected how to build it too, as in --build "12, 3"')
        report = audit(attention, name=address.rpartition(":")[2], show=False, **declared)
    except TheirError as error:
        print(error, file=sys.stderr)
        return 3
    except (ValueError, TypeError) as problem:
        print(problem, file=sys.stderr)
        return 2
    print(json.dumps(report.as_dict(), indent=2) if as_json else report)
    return 1 if report.failed else 0


def _number(text: str) -> int | str:
    return text if text == "none" else int(text)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):  # a console that knows no ✓ shows ? in its place, and the audit goes on
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.exit(main())
