"""The exercises of lesson 15: weights from scores. Say here what the lesson's exercises are about."""

import torch

from course_utils.checks.forms import write


def _scores(generator):
    # Every axis has another size, so that no two mistakes look alike; one case without a batch, one with.
    return [(torch.randn(3, 5, generator=generator),), (torch.randn(2, 4, 7, generator=generator),)]


WEIGHTS = write(
    "15.1",
    oracle=lambda scores: torch.softmax(scores, dim=-1),
    inputs=_scores,
    mistakes={
        "over-queries": lambda scores: torch.softmax(scores, dim=-2),
        "no-exponential": lambda scores: scores / scores.sum(-1, keepdim=True),
        "not-normalised": lambda scores: scores.exp(),
    },
    properties={"rows-sum-to-1": lambda arguments, result: bool((result.sum(-1) - 1).abs().max() < 1e-4)},
)
EXERCISES = [WEIGHTS]
