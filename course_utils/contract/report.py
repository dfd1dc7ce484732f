"""What an audit found: a result for each clause, and the table that a person reads."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from course_utils.contract.convention import Convention
from course_utils.contract.wording import declared_in, describe, in_python, in_shell

STATES = {"passed": "✓", "failed": "✗", "not applicable": "–", "not tried": "·"}
WIDTH = 88
WAITS = "it does not run"  # why a clause was not even tried
MOST_NUMBERS = 24  # an input with more numbers is named by its sizes only


@dataclass(frozen=True)
class Result:
    """The outcome of one clause; when it failed, what happened, and the smallest input with which it does."""

    clause: str
    group: str
    says: str
    state: str
    reason: str = ""
    sizes: str = ""
    inputs: dict[str, Tensor] = field(default_factory=dict)


class ContractBroken(AssertionError):
    """An attention failed clauses of the contract; the message is the report."""


@dataclass(frozen=True)
class Report:
    """The results of one audit: `failed`, `passed`, `not_applicable` name clauses; `report[name]` is one result."""

    name: str
    convention: Convention
    results: tuple[Result, ...]
    found: bool = False  # whether the convention was found by trying; then `declaration` is the line to copy
    tried: str = ""  # what was tried in vain, and what to pass

    @property
    def passed(self) -> list[str]:
        """The names of the clauses that it keeps."""
        return self._named("passed")

    @property
    def failed(self) -> list[str]:
        """The names of the clauses that it breaks."""
        return self._named("failed")

    @property
    def not_applicable(self) -> list[str]:
        """The names of the clauses that do not apply to it."""
        return self._named("not applicable")

    @property
    def not_tried(self) -> list[str]:
        """The names of the clauses that wait until another one holds."""
        return self._named("not tried")

    @property
    def summary(self) -> str:
        """The counts, in one line."""
        waiting = f", {len(self.not_tried)} not tried" if self.not_tried else ""
        return (
            f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.not_applicable)} not applicable{waiting}"
        )

    @property
    def declaration(self) -> str:
        """The line of Python that declares its convention."""
        return in_python(self.name, declared_in(self.convention))

    def as_dict(self) -> dict[str, Any]:
        """The whole report in plain values, for JSON."""
        results = [
            {"clause": one.clause, "group": one.group, "says": one.says, "state": one.state, "reason": one.reason}
            | ({"smallest_input": {"sizes": one.sizes} | _plain(one.inputs)} if one.state == "failed" else {})
            for one in self.results
        ]
        counts = {state.replace(" ", "_"): len(self._named(state)) for state in STATES}
        declared = {key: value for key, value in declared_in(self.convention).items() if not callable(value)}
        return {
            **{"name": self.name, "found": self.found, "declared": declared, "in_python": self.declaration},
            **{"in_shell": in_shell(declared), "tried": self.tried, "counts": counts, "results": results},
        }

    def __getitem__(self, clause: str) -> Result:
        for result in self.results:
            if result.clause == clause:
                return result
        raise KeyError(f"clause: got {clause!r}, expected one of {', '.join(one.clause for one in self.results)}")

    def __repr__(self) -> str:
        return f"<Report on {self.name}: {self.summary}>"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The table: a line for each clause, and below each failure what happened and with what."""
        width = max(len(result.clause) for result in self.results)
        found, group = [f"Contract of {self.name}", *(f"  {line}" for line in describe(self.convention, self.name))], ""
        if self.found:
            found += ["", "Nobody said how to call it. This was found by trying; to declare it, copy:"]
            found += [f"  {self.declaration}"]
            found += [f"  {options}"] if (options := in_shell(declared_in(self.convention))) else []
        shown: dict[str, str] = {}  # inputs that stand above → the clause where they stand
        for result in self.results:
            if result.reason == WAITS:
                continue
            if result.group != group:
                group = result.group
                found += ["", group]
            text = f"{result.state}: {result.reason}" if result.state.startswith("not") else result.says
            found.append(f"  {STATES[result.state]} {result.clause:<{width}}  {text}")
            if result.state == "failed":
                found += _indented(f"{result.reason} {self.tried if result.clause == 'runs' else ''}")
                tensors = "\n".join(f"        {line}" for line in _shown(result))
                again = shown.setdefault(tensors, result.clause) if tensors else result.clause
                found.append(
                    f"      smallest input: {result.sizes}{'' if again == result.clause else f', as for {again}'}"
                )
                found += tensors.splitlines() if again == result.clause else []
        waiting = sum(result.reason == WAITS for result in self.results)
        found += ["", f"The other {waiting} clauses wait until it runs."] if waiting else []
        return [*found, "", f"{self.summary}."]

    def _named(self, state: str) -> list[str]:
        return [result.clause for result in self.results if result.state == state]


def _indented(sentence: str) -> list[str]:
    lines, line = [], ""
    for word in sentence.split():
        if len(line) + len(word) > WIDTH:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
    return [f"      {line}" for line in [*lines, line]]


def _shown(result: Result) -> list[str]:
    """The smallest input in numbers, when they are few."""
    numbers = sum(tensor.numel() for name, tensor in result.inputs.items() if name != "mask")
    if not numbers or numbers > MOST_NUMBERS:
        return []
    width = max(map(len, result.inputs))
    return [f"{name:<{width}} = {_list(tensor)}" for name, tensor in result.inputs.items()]


def _plain(inputs: dict[str, Tensor]) -> dict[str, Any]:
    few = sum(tensor.numel() for tensor in inputs.values()) <= MOST_NUMBERS * 2
    return {name: tensor.detach().cpu().tolist() for name, tensor in inputs.items()} if few else {}


def _list(tensor: Tensor) -> str:
    while tensor.dim() > 2 and len(tensor) == 1:
        tensor = tensor[0]
    if tensor.dtype == torch.bool:
        return str(tensor.tolist())
    return str(tensor.detach().cpu().tolist())
