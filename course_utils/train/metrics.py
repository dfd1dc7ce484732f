"""How wrong is what was written? Edits, the error rates made of them, and BLEU; each in the open, all in percent."""

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

Tokens = Sequence[Hashable]


def edit_distance(a: Tokens, b: Tokens) -> int:
    """Counts the fewest insertions, deletions and substitutions that turn one sequence into the other.

    Shapes: a (length of a), b (length of b), strings or sequences of tokens. Row by row, each entry is the distance
    between a beginning of a and a beginning of b. Source: Levenshtein 1966; Wagner and Fischer 1974.
    """
    if a == b:
        return 0
    row = list(range(len(b) + 1))  # from nothing to each beginning of b: insert everything
    for deleted, token in enumerate(a, start=1):
        corner, row[0] = row[0], deleted
        for place, other in enumerate(b, start=1):
            best = corner if token == other else 1 + min(corner, row[place], row[place - 1])
            corner, row[place] = row[place], best
    return row[-1]


def phoneme_error_rate(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> float:
    """Gives the edits for each hundred sounds, against the closest of the true pronunciations.

    Shapes: hypotheses (words), references (words, pronunciations), each a sequence of sounds. Units: percent.
    All edits are divided by the length of all the references chosen; of two equally close the first counts. On
    sentences as sequences of words this is what speech recognition calls word error rate. Raises ValueError as all
    metrics here do: for none, for numbers that differ, for a hypothesis without a reference, for empty references.
    """
    _require_pairs(hypotheses, references)
    edits = length = 0
    for hypothesis, known in zip(hypotheses, references, strict=True):
        distances = [edit_distance(hypothesis, reference) for reference in known]
        nearest = min(range(len(known)), key=distances.__getitem__)
        edits += distances[nearest]
        length += len(known[nearest])
    if length == 0:
        raise ValueError("references: got empty ones only, expected at least one token")
    return 100 * edits / length


def word_error_rate(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> float:
    """Gives the share of words that equal none of their pronunciations.

    Shapes: hypotheses (words), references (words, pronunciations), each a sequence of sounds. Units: percent.
    """
    _require_pairs(hypotheses, references)
    wrong = sum(
        all(tuple(hypothesis) != tuple(reference) for reference in known)
        for hypothesis, known in zip(hypotheses, references, strict=True)
    )
    return 100 * wrong / len(hypotheses)


def ngrams(tokens: Tokens, size: int) -> Counter:
    """Counts the runs of `size` tokens in a sequence.

    Shapes: tokens (length) → at most length − size + 1 different runs.
    """
    return Counter(zip(*(tokens[start:] for start in range(size)), strict=False))


def bleu(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> float:
    """Scores translations by the runs of one to four tokens that they share with their references.

    Shapes: hypotheses (sentences), references (sentences, references), each a sequence of tokens. Units: 0 to 100.
    Over all sentences together: the geometric mean of the four precisions, where a run counts at most as often as in
    the reference that has most of it, times a penalty if the hypotheses are shorter than their references (the one of
    nearest length; of two equally near the shorter). A precision of 0 gives 0. Source: Papineni et al. 2002.
    """
    _require_pairs(hypotheses, references)
    written = expected = 0
    shared, total = [0] * 4, [0] * 4
    for hypothesis, known in zip(hypotheses, references, strict=True):
        written += len(hypothesis)
        expected += min((abs(len(reference) - len(hypothesis)), len(reference)) for reference in known)[1]
        for size in range(1, 5):
            runs = ngrams(hypothesis, size)
            most: Counter = Counter()
            for reference in known:
                most |= ngrams(reference, size)  # the greater count of each run
            shared[size - 1] += (runs & most).total()  # the smaller count
            total[size - 1] += runs.total()
    if 0 in shared:
        return 0.0
    precision = math.exp(sum(math.log(hits / runs) for hits, runs in zip(shared, total, strict=True)) / 4)
    return 100 * min(1.0, math.exp(1 - expected / written)) * precision


class SacreBleu(NamedTuple):
    """A BLEU score of the library sacrebleu, and the signature that says how it was computed."""

    score: float
    signature: str


def sacre_bleu(
    hypotheses: Sequence[str | Sequence[str]],
    references: Sequence[Sequence[str | Sequence[str]]],
    tokenize: str | None = None,
) -> SacreBleu:
    """Gives the library's BLEU, which others can compare with theirs, and its signature.

    Shapes: hypotheses (sentences), references (sentences, references), as texts or as sequences of tokens.
    `tokenize` is sacrebleu's; without it, texts are tokenised by its standard ("13a") and tokens are taken as they
    are ("none"). Source: Post 2018, A Call for Clarity in Reporting BLEU Scores.
    """
    from sacrebleu.metrics import BLEU  # loaded when it is needed

    _require_pairs(hypotheses, references)
    if tokenize is None:
        tokenize = "13a" if isinstance(hypotheses[0], str) else "none"
    texts = [[_text(one) for one in known] for known in references]
    most = max(map(len, texts))
    streams: list[list[Any]] = [
        [known[place] if place < len(known) else None for known in texts] for place in range(most)
    ]
    metric = BLEU(tokenize=tokenize, force=True)  # force: what is tokenised already draws no warning
    score = metric.corpus_score([_text(one) for one in hypotheses], streams).score
    return SacreBleu(score, str(metric.get_signature()))


def _text(tokens: str | Sequence[str]) -> str:
    return tokens if isinstance(tokens, str) else " ".join(tokens)


def _require_pairs(hypotheses: Sequence, references: Sequence) -> None:
    if len(hypotheses) == 0:
        raise ValueError("hypotheses: got none, expected at least one")
    if len(references) != len(hypotheses):
        raise ValueError(f"references: got {len(references)}, expected one list for each of {len(hypotheses)}")
    for place, known in enumerate(references):
        if isinstance(known, str) or len(known) == 0:
            raise ValueError(f"references: got {known!r} at {place}, expected a list of at least one reference")
