"""What follows from what: a clause waits for others, so that one cause gives one alarm.

Where a clause on the left fails by itself when one on the right fails, it is not tried until that one holds.
"""

from course_utils.contract.clauses.base import Clause

APART = ("batch-is-apart", "queries-are-apart", "heads-are-apart")
MASKED = ("runs-with-a-mask", *APART, "window-is-kept", "weights-are-used", "hidden-key-weighs-0", "rows-sum-to-1")
AFTER: dict[str, tuple[str, ...]] = {
    "heads-are-apart": ("batch-is-apart",),
    "queries-are-apart": ("batch-is-apart", "heads-are-apart"),
    "window-is-kept": APART,
    "weights-are-used": APART,
    "hidden-key-weighs-0": ("runs-with-a-mask", *APART, "window-is-kept", "weights-are-used"),
    "rows-sum-to-1": MASKED[1:-1],
    "no-negative-weight": (*APART, "weights-are-used", "rows-sum-to-1"),
    "output-is-a-mixture": (*MASKED, "no-negative-weight"),
    "key-moves-weights": (*APART, "window-is-kept", "rows-sum-to-1"),
    "query-moves-weights": (*APART, "window-is-kept", "rows-sum-to-1", "key-moves-weights"),
    "asked-or-not": ("hidden-key-weighs-0", "future-changes-nothing"),
    "weights-in-training": (*APART, "rows-sum-to-1"),
    "future-changes-nothing": MASKED,
    "padding-changes-nothing": (*MASKED, "future-changes-nothing"),
    "left-padding": (*MASKED, "future-changes-nothing", "padding-changes-nothing", "order-of-keys"),
    "step-by-step": (*MASKED, "future-changes-nothing", "any-number-of-keys", "equals-pytorch"),
    "empty-row-is-finite": ("runs-with-a-mask",),
    "empty-row-is-0": (*MASKED, "empty-row-is-finite"),
    "position-is-felt": ("key-moves-weights",),
    "order-of-keys": (*APART, "hidden-key-weighs-0", "rows-sum-to-1", "key-moves-weights"),
    "equals-pytorch": (
        *(*MASKED, "order-of-keys", "no-negative-weight", "output-is-a-mixture", "key-moves-weights"),
        *("query-moves-weights", "future-changes-nothing", "padding-changes-nothing"),
    ),
    "training-comes-back": ("same-twice",),
    "gradient": ("same-twice",),
    "many-keys": (*MASKED, "order-of-keys", "key-moves-weights", "output-is-a-mixture", "equals-pytorch"),
    "large-in-half": (*APART, "rows-sum-to-1", "half-precision", "large-scores", "equals-pytorch"),
}


def waits_for(clause: Clause) -> tuple[str, ...]:
    """The clauses for which one waits; what compares two calls waits for one that says the same thing twice."""
    return AFTER.get(clause.name, ()) + (("same-twice",) if clause.compares else ())
