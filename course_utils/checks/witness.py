"""The third kind of graded exercise: something to construct, which must fulfil every requirement."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from course_utils.checks.compare import is_stub, untouched
from course_utils.checks.difference import short
from course_utils.checks.safely import has_nan, is_fake, safely
from course_utils.checks.verdicts import Requirement, Verdict, not_yet, wrong
from course_utils.checks.words import say


@dataclass(frozen=True)
class Witness:
    """Something to construct (a counterexample, an input, a result) that must fulfil every requirement, in order."""

    key: str
    title: str
    requirements: list[Requirement]

    def examine(self, answer: Any, generator: torch.Generator | None = None) -> Verdict:
        """Finds the first requirement that the answer does not fulfil."""
        return safely(lambda: self._examine(answer), generator)

    def _examine(self, answer: Any) -> Verdict:
        if untouched(answer) or is_stub(answer):  # a class is a stub until something stands in its methods
            return not_yet()
        if is_fake(answer):
            return wrong("witness.unreadable", found=short(answer))
        if isinstance(answer, Mapping) and (empty := [name for name, item in answer.items() if item is ...]):
            return not_yet(say("exercise.unfinished", names=", ".join(f"`{name}`" for name in empty)))
        for place, requirement in enumerate(self.requirements):
            try:
                holds = bool(requirement.holds(copy.deepcopy(answer)))
            except Exception as error:
                lacking = error.args[0] if isinstance(error, KeyError) and error.args else None
                if isinstance(answer, Mapping) and isinstance(lacking, str) and lacking not in answer:
                    return wrong("witness.lacks", name=lacking)
                return wrong("witness.unreadable", found=short(answer))
            if not holds and place and has_nan(answer):  # the first one is about the form, and may speak of nan itself
                return wrong("witness.nan")
            if not holds:
                return Verdict("wrong", requirement.help, requirement.name, "mistake")
        return Verdict("passed", say("witness.passed", count=len(self.requirements)))
