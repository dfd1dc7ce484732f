"""How good a trained model is: exact match, WER and PER, or BLEU; greedy and by beam; by length; with examples."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import torch

from course_utils.attention.masks import padding_mask
from course_utils.data.buckets import Buckets
from course_utils.data.text import Vocabulary, pad
from course_utils.models.decoding import beam_search
from course_utils.models.language import LanguageModel
from course_utils.models.seq2seq import Seq2Seq, token_loss
from course_utils.models.transformer import Transformer
from course_utils.train.metrics import phoneme_error_rate, sacre_bleu, word_error_rate
from course_utils.train.perplexity import continued, perplexities
from course_utils.train.settings import Settings
from course_utils.train.tasks import Model, Question, Task

TOKENS = 6000  # source tokens decoded at once, all beams counted
MAIN = {"dates": "wrong dates", "g2p": "WER", "translation": "BLEU", "lm": "perplexity"}  # what stands in by_length
LONG = 12  # letters of a long word


def evaluate(model: Model, task: Task, settings: Settings, device: torch.device) -> tuple[dict, dict]:
    """Answers all questions of a task's tests, greedily and by beam search, in float32, and counts what is wrong.

    Gives metrics[test][way][name], in percent or BLEU points, and by_length[way]: rows of (from, to, how many,
    error or BLEU) over the first test. A language model answers nothing: see `perplexities`.
    """
    if isinstance(model, LanguageModel):
        guessed, parts = perplexities(model, task, device)
        return guessed, {"measure": MAIN[task.name], "rows": parts}
    metrics: dict[str, dict] = {test: {} for test in task.tests}
    rows = {}
    for way, beams in (("greedy", 1), (f"beam {settings.beams}", settings.beams)):
        for test, questions in task.tests.items():
            sources = [question.source for question in questions]
            found = answers(model, sources, task.sources, task.targets, device, beams, settings.length_penalty)
            metrics[test][way] = grade(task.name, found, questions)
            if task.name == "g2p":
                metrics[test][way][f"WER, {LONG} letters and more"] = _of_long(found, questions)
            if test == next(iter(task.tests)):
                rows[way] = _by_length(task, found, questions)
    return metrics, {"measure": MAIN[task.name], "rows": rows}


def grade(name: str, found: Sequence[tuple[str, ...]], questions: Sequence[Question]) -> dict:
    """The metrics of a task for some answers: each a percentage or BLEU points."""
    references = [question.references for question in questions]
    if name == "dates":
        right = sum("".join(tokens) in wanted for tokens, wanted in zip(found, references, strict=True))
        return {"exact match": 100 * right / len(found), "wrong dates": 100 - 100 * right / len(found)}
    if name == "g2p":
        return {"WER": word_error_rate(found, references), "PER": phoneme_error_rate(found, references)}
    from course_utils.data.translation import detokenize

    texts = [detokenize(tokens) for tokens in found]
    score, signature = sacre_bleu(texts, [[detokenize(one) for one in wanted] for wanted in references])
    return {"BLEU": score, "signature": signature}


@torch.no_grad()
def answers(
    model: Seq2Seq | Transformer,
    sources: Sequence,
    read: Vocabulary,
    write: Vocabulary,
    device: torch.device,
    beams: int = 1,
    length_penalty: float = 0.6,
) -> list[tuple[str, ...]]:
    """Lets a model answer many sources, those of one length together, greedily or by beam search, in their order."""
    model.eval()
    by_length = defaultdict(list)
    for place, source in enumerate(sources):
        by_length[len(source)].append(place)
    found: list[tuple[str, ...]] = [()] * len(sources)
    for length, places in by_length.items():
        rows = max(1, TOKENS // (length * beams))
        for start in range(0, len(places), rows):
            some = places[start : start + rows]
            ids, lengths = pad([read.encode(sources[place]) for place in some])
            ids, mask, longest = ids.to(device), padding_mask(lengths).to(device), 2 * length + 10
            if beams == 1:
                written, _ = model.greedy(ids, mask, longest)
            else:
                written, _ = beam_search(model, ids, mask, longest, beams, length_penalty)
            for place, numbers in zip(some, written.tolist(), strict=True):
                found[place] = tuple(write.tokens(numbers))
    return found


def mean_loss(model: Model, data: Buckets, device: torch.device, loss: Callable = token_loss) -> float:
    """The mean loss of a real target token, in nats, without dropout and smoothing, in float32."""
    training = model.training
    model.eval()
    with torch.no_grad():
        found = [loss(model, batch.to(device)) for batch in data.epoch(0)]
    model.train(training)
    return sum(total.item() for total, _ in found) / sum(tokens for _, tokens in found)


def examples(model: Model, task: Task, device: torch.device) -> list[dict]:
    """Greedy answers to a few sources, each with its weights (target, source), or None without attention."""
    model.eval()
    if isinstance(model, LanguageModel):
        return continued(model, task, device)
    trained = {pair[0] for pair in task.train}
    made = []
    for source in task.shown:
        ids, lengths = pad([task.sources.encode(source)])
        written, weights = model.greedy(ids.to(device), padding_mask(lengths).to(device), 2 * len(source) + 10)
        target = task.targets.tokens(written[0])
        rows = None if weights is None else weights[0, : len(target)].cpu()
        made.append(
            {
                "source": list(source),
                "target": target,
                "seen in training": source in trained,
                "weights": None if rows is None else [[round(value, 4) for value in row] for row in rows.tolist()],
            }
        )
    return made


def _of_long(found: list, questions: Sequence[Question]) -> float | None:
    chosen = [place for place, question in enumerate(questions) if question.length >= LONG]
    if not chosen:
        return None
    return word_error_rate([found[place] for place in chosen], [questions[place].references for place in chosen])


def _by_length(task: Task, found: list, questions: Sequence[Question]) -> list[tuple[int, int, int, float]]:
    rows = []
    for low, high in task.groups:
        chosen = [place for place, question in enumerate(questions) if low <= question.length <= high]
        if chosen:
            part = grade(task.name, [found[place] for place in chosen], [questions[place] for place in chosen])
            lengths = [questions[place].length for place in chosen]
            rows.append((min(lengths), max(lengths), len(chosen), part[MAIN[task.name]]))
    return rows
