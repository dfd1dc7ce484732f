"""Exercises of lesson 07: the shift, both orders of looking, padding, alignments, scores, greedy writing, fading."""

import math

import torch
from torch import Tensor, nn

from course_utils.attention.scores import Additive
from course_utils.checks import Exercise, Mistake, Prediction, Requirement, Witness
from course_utils.data.text import END, PAD, START
from course_utils.models.bahdanau import Bahdanau
from course_utils.models.seq2seq import Seq2Seq


def _draw(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator)


def _rows(sequences: list[list[int]], fill: int = PAD, left: bool = False) -> Tensor:
    longest = max(map(len, sequences))
    gaps = [[fill] * (longest - len(one)) for one in sequences]
    return torch.tensor([gap + one if left else one + gap for one, gap in zip(sequences, gaps, strict=True)])


def _mask(lengths: Tensor, source: int) -> Tensor:
    return torch.arange(source) < lengths[:, None]  # (batch, source)


# 7.1 What goes in and what should come out: the oracle fills two tables number by number.


def _shifted_oracle(targets):
    longest = max(map(len, targets)) + 1
    target_in, target_out = torch.full((2, len(targets), longest), PAD).unbind()
    for row, target in enumerate(targets):
        target_in[row, 0] = START
        target_out[row, len(target)] = END
        for place, number in enumerate(target):
            target_in[row, place + 1] = target_out[row, place] = number
    return target_in, target_out


def _shift(make_in, make_out, fill=PAD, left=False):
    def answer(targets):
        return _rows([make_in(t) for t in targets], fill, left), _rows([make_out(t) for t in targets], fill, left)

    return answer


def _end_behind_the_padding(targets):
    rows = _rows(targets)
    start, end = torch.full((len(rows), 1), START), torch.full((len(rows), 1), END)
    return torch.cat([start, rows], dim=1), torch.cat([rows, end], dim=1)


def _draw_targets(generator: torch.Generator) -> list[tuple]:
    def numbers(length: int) -> list[int]:
        return torch.randint(4, 40, (length,), generator=generator).tolist()

    return [([numbers(length) for length in lengths],) for lengths in ((3, 5, 2), (4, 1))]


SHIFT = Exercise(
    "7.1", "Shifted by one",
    oracle=_shifted_oracle, inputs=_draw_targets,
    mistakes=[
        Mistake(
            "not-shifted", _shift(lambda t: [*t, END], lambda t: [*t, END]),
            "Both are the same, so the decoder is shown each sound that it is to predict: what goes in must lag one "
            "place behind, with a sign of its own in front.",
        ),
        Mistake(
            "swapped", _shift(lambda t: [*t, END], lambda t: [START, *t]),
            "The two are swapped: the decoder reads the beginning sign first, and writes the end sign last.",
        ),
        Mistake(
            "end-never-written", _shift(lambda t: [START, *t[:-1]], lambda t: t),
            "The end is missing from what should come out, so the model would never learn to stop.",
        ),
        Mistake(
            "end-is-read", _shift(lambda t: [START, *t, END], lambda t: [*t, END, PAD]),
            "Nothing is to be predicted after the end, so the end sign need not go in: both have one place more "
            "than the sounds, not two.",
        ),
        Mistake(
            "start-is-written", _shift(lambda t: [START, *t, END], lambda t: [START, *t, END]),
            "Both carry both signs and nothing is shifted: the beginning sign is only read, the end sign only written.",
        ),
        Mistake(
            "end-behind-the-padding", _end_behind_the_padding,
            "In the shorter rows your end sign stands behind the padding; it follows the last sound directly, so put "
            "it there before you fill up.",
        ),
        Mistake(
            "padded-on-the-left", _shift(lambda t: [START, *t], lambda t: [*t, END], left=True),
            "You fill up on the left; the course's padding stands on the right.",
        ),
        Mistake(
            "filled-with-end", _shift(lambda t: [START, *t], lambda t: [*t, END], fill=END),
            "You fill up with the end sign, which the loss would count; padding has a number of its own.",
        ),
    ],
)  # fmt: skip


# 7.2 One step in Bahdanau's order: the oracle goes word by word and letter by letter.


def _bahdanau_oracle(sound, before, states, mask, w_query, w_key, v, cell):
    contexts, rows = [], []
    for b in range(len(states)):
        scores = [float("-inf")] * states.shape[1]
        for s in range(states.shape[1]):
            if mask[b, s]:
                scores[s] = float(v @ torch.tanh(w_query @ before[b] + w_key @ states[b, s]))
        rows.append(torch.softmax(torch.tensor(scores), dim=0))
        contexts.append(rows[-1] @ states[b])
    context = torch.stack(contexts)
    return cell(torch.cat([sound, context], dim=-1), before), context, torch.stack(rows)


def _additive(query, states, w_query, w_key, v):
    return torch.tanh((query @ w_query.T)[:, None] + states @ w_key.T) @ v


def _hide(scores, mask):
    return torch.softmax(scores.masked_fill(~mask, -math.inf), dim=-1)


def _look(weights, states):
    return torch.einsum("bs,bsd->bd", weights, states)


def _bahdanau(score=_additive, weigh=_hide, join=lambda sound, context: torch.cat([sound, context], -1), start=None):
    """A step with one wrong part."""

    def answer(sound, before, states, mask, w_query, w_key, v, cell):
        weights = weigh(score(before, states, w_query, w_key, v), mask)
        context = _look(weights, states)
        return cell(join(sound, context), start(before, context) if start else before), context, weights

    return answer


def _after_asks(sound, before, states, mask, w_query, w_key, v, cell):
    after, _, _ = _bahdanau()(sound, before, states, mask, w_query, w_key, v, cell)
    weights = _hide(_additive(after, states, w_query, w_key, v), mask)
    return after, _look(weights, states), weights


def _sound_asks(sound, before, states, mask, w_query, w_key, v, cell):
    weights = _hide(_additive(sound, states, w_query, w_key, v), mask)
    context = _look(weights, states)
    return cell(torch.cat([sound, context], dim=-1), before), context, weights


def _draw_step(generator: torch.Generator) -> list[tuple]:
    def case(lengths: list[int], size: int, hidden: int) -> tuple:
        batch, source = len(lengths), max(lengths)
        cell = nn.GRUCell(2 * size, size)
        with torch.no_grad():
            for weight in cell.parameters():
                weight.copy_(_draw(generator, *weight.shape) / 2)
        return (
            _draw(generator, batch, size), _draw(generator, batch, size), _draw(generator, batch, source, size),
            _mask(torch.tensor(lengths), source), _draw(generator, hidden, size), _draw(generator, hidden, size),
            _draw(generator, hidden), cell,
        )  # fmt: skip

    return [case([5, 3], 4, 6), case([2, 4, 7], 6, 5)]


BAHDANAU_STEP = Exercise(
    "7.2", "A step in Bahdanau's order",
    oracle=_bahdanau_oracle, inputs=_draw_step,
    mistakes=[
        Mistake(
            "state-after-asks", _after_asks,
            "Your weights come from the state after; in this order the state before asks, and the cell moves last.",
        ),
        Mistake(
            "sound-asks", _sound_asks,
            "You let the embedded sound ask; the query is the decoder's state, which knows all that was written "
            "so far.",
        ),
        Mistake(
            "tanh-after-the-sum",
            _bahdanau(lambda q, k, wq, wk, v: torch.tanh(((q @ wq.T)[:, None] + k @ wk.T) @ v)),
            "Your tanh comes after the product with v, on one number; it belongs inside, on every hidden feature.",
        ),
        Mistake(
            "no-tanh", _bahdanau(lambda q, k, wq, wk, v: ((q @ wq.T)[:, None] + k @ wk.T) @ v),
            "The tanh is missing, and without it the query adds the same number to every score, which softmax takes "
            "out again.",
        ),
        Mistake(
            "v-forgotten", _bahdanau(lambda q, k, wq, wk, v: torch.tanh((q @ wq.T)[:, None] + k @ wk.T).sum(-1)),
            "You add up the hidden features as they are; each has its own weight, given in v.",
        ),
        Mistake(
            "no-query", _bahdanau(lambda q, k, wq, wk, v: torch.tanh(k @ wk.T) @ v),
            "Your scores never see the query, so every step would look at the same letters: add its hidden features "
            "to those of each key.",
        ),
        Mistake(
            "mask-after-softmax", _bahdanau(weigh=lambda scores, mask: torch.softmax(scores, -1) * mask),
            "You hide the padding after the softmax, so that the rest no longer sums to 1; hide the scores before it.",
        ),
        Mistake(
            "mask-inverted", _bahdanau(weigh=lambda scores, mask: _hide(scores, ~mask)),
            "Your mask is turned round: True marks the real letters, and it is the others that get −inf.",
        ),
        Mistake(
            "no-mask", _bahdanau(weigh=lambda scores, mask: torch.softmax(scores, -1)),
            "You never use the mask, so the shorter words look at their padding.",
        ),
        Mistake(
            "over-the-batch", _bahdanau(weigh=lambda scores, mask: scores.masked_fill(~mask, -1e9).softmax(0)),
            "Your softmax runs over the words of the batch; each word shares its weights among its own letters.",
        ),
        Mistake(
            "context-first", _bahdanau(join=lambda sound, context: torch.cat([context, sound], -1)),
            "The cell reads the sound first and the context behind it; yours come the other way round.",
        ),
        Mistake(
            "from-the-context", _bahdanau(start=lambda before, context: context),
            "Your cell goes on from the context; it goes on from the state before, and the context is part of what "
            "it reads.",
        ),
    ],
)  # fmt: skip


# 7.3 Luong's order, all steps at once: the oracle is a loop over words and steps.


def _luong_oracle(after, states, mask, w, w_join):
    joined, weights = torch.zeros_like(after), torch.zeros(*after.shape[:2], states.shape[1])
    for b in range(len(after)):
        for t in range(after.shape[1]):
            scores = (states[b] @ (w.T @ after[b, t])).masked_fill(~mask[b], -math.inf)
            weights[b, t] = torch.softmax(scores, dim=0)
            joined[b, t] = torch.tanh(w_join @ torch.cat([weights[b, t] @ states[b], after[b, t]]))
    return joined, weights


def _shown(scores, mask):
    return torch.softmax(scores.masked_fill(~mask[:, None], -math.inf), dim=-1)


def _side_by_side(context, after, w_join):
    return torch.tanh(torch.cat([context, after], dim=-1) @ w_join.T)


def _luong(score=lambda after, w, states: after @ w @ states.transpose(1, 2), weigh=_shown, join=_side_by_side):
    def answer(after, states, mask, w, w_join):
        weights = weigh(score(after, w, states), mask)
        return join(weights @ states, after, w_join), weights

    return answer


def _context_of_the_step_before(context, after, w_join):
    late = torch.cat([torch.zeros_like(context[:, :1]), context[:, :-1]], dim=1)
    return _side_by_side(late, after, w_join)


def _draw_luong(generator: torch.Generator) -> list[tuple]:
    def case(lengths: list[int], target: int, size: int) -> tuple:
        batch, source = len(lengths), max(lengths)
        return (
            _draw(generator, batch, target, size), _draw(generator, batch, source, size),
            _mask(torch.tensor(lengths), source), _draw(generator, size, size) / 2,
            _draw(generator, size, 2 * size) / 2,
        )  # fmt: skip

    return [case([5, 3], 3, 4), case([2, 4, 7], 5, 6)]


LUONG = Exercise(
    "7.3", "All steps at once, in Luong's order",
    oracle=_luong_oracle, inputs=_draw_luong,
    mistakes=[
        Mistake(
            "over-the-steps",
            _luong(weigh=lambda scores, mask: scores.masked_fill(~mask[:, None], -math.inf).softmax(1)),
            "Your softmax runs over the target's steps; each step shares its weights among the letters, which lie "
            "along the last axis.",
        ),
        Mistake(
            "joined-along-the-steps", _luong(join=lambda c, a, w: torch.tanh(torch.cat([c, a], dim=1) @ w.T)),
            "It raises an error. If it comes from the join: context and state go side by side along the features, "
            "not one after another along the steps.",
        ),
        Mistake(
            "state-first", _luong(join=lambda c, a, w: _side_by_side(a, c, w)),
            "The matrix of the join expects the context first and the state behind it; yours come the other way round.",
        ),
        Mistake(
            "context-alone", _luong(join=lambda c, a, w: torch.tanh(c @ w[:, : c.shape[-1]].T)),
            "Your context replaces the state; it is joined to it, or the model forgets who asked.",
        ),
        Mistake(
            "added", _luong(join=lambda c, a, w: torch.tanh((c + a) @ w[:, : c.shape[-1]].T)),
            "You add context and state up; they are put side by side, so that each has its own half of the matrix.",
        ),
        Mistake(
            "no-tanh", _luong(join=lambda c, a, w: torch.cat([c, a], -1) @ w.T),
            "The join ends with a tanh, and yours is missing.",
        ),
        Mistake(
            "context-of-the-step-before", _luong(join=_context_of_the_step_before),
            "You join each state to the context of the step before; in this order a state meets the context that it "
            "asked for itself.",
        ),
        Mistake(
            "matrix-transposed", _luong(score=lambda a, w, s: a @ w.T @ s.transpose(1, 2)),
            "You transposed the matrix of the score: its rows belong to the query, so the query meets it from "
            "the left.",
        ),
        Mistake(
            "divided-by-the-root",
            _luong(score=lambda a, w, s: a @ w @ s.transpose(1, 2) / math.sqrt(a.shape[-1])),
            "You divide by the root of the size; this score has a learned matrix, and is used as it is.",
        ),
        Mistake(
            "mask-after-softmax", _luong(weigh=lambda scores, mask: scores.softmax(-1) * mask[:, None]),
            "You hide the padding after the softmax, so that the rest no longer sums to 1; hide the scores before it.",
        ),
        Mistake(
            "mask-inverted", _luong(weigh=lambda scores, mask: _shown(scores, ~mask)),
            "Your mask is turned round: True marks the real letters, and it is the others that get −inf.",
        ),
        Mistake(
            "no-mask", _luong(weigh=lambda scores, mask: scores.softmax(-1)),
            "You never use the mask, so the shorter words look at their padding.",
        ),
    ],
)  # fmt: skip


# 7.4 Padding is attended to.


def _padded_oracle(query, states, lengths):
    contexts = []
    for row, length in enumerate(lengths.tolist()):
        real = states[row, :length]
        contexts.append(torch.softmax(query[row] @ real.T, dim=-1) @ real)
    return torch.stack(contexts)


def _padded(weigh):
    def answer(query, states, lengths):
        scores = query @ states.transpose(1, 2)
        return weigh(scores, torch.arange(states.shape[1]), lengths[:, None, None]) @ states

    return answer


def _fill(shown, value=-math.inf):
    return lambda scores, places, lengths: scores.masked_fill(~shown(places, lengths), value).softmax(-1)


def _real(places, lengths):
    return places < lengths


def _states_zeroed(query, states, lengths):
    states = states * _mask(lengths, states.shape[1])[..., None]
    return torch.softmax(query @ states.transpose(1, 2), dim=-1) @ states


def _first_length(query, states, lengths):
    states = states[:, : int(lengths.min())]
    return torch.softmax(query @ states.transpose(1, 2), dim=-1) @ states


def _draw_padded(generator: torch.Generator) -> list[tuple]:
    def case(lengths: list[int], target: int, size: int) -> tuple:
        shape = (len(lengths), max(lengths) + 1, size)  # one place of padding even for the longest
        return _draw(generator, len(lengths), target, size), _draw(generator, *shape), torch.tensor(lengths)

    return [case([5, 3], 2, 4), case([2, 4, 6], 5, 3)]


PADDING = Exercise(
    "7.4", "Padding is looked at",
    oracle=_padded_oracle, inputs=_draw_padded,
    mistakes=[
        Mistake(
            "unrepaired", _padded(lambda scores, places, lengths: scores.softmax(-1)),
            "The padding still gets weight: nothing tells the softmax how long each word is.",
        ),
        Mistake(
            "mask-after-softmax",
            _padded(lambda scores, places, lengths: scores.softmax(-1) * _real(places, lengths)),
            "You take the padding's weight away after the softmax, and what remains no longer sums to 1.",
        ),
        Mistake(
            "filled-with-zero", _padded(_fill(_real, 0.0)),
            "You set the padding's scores to 0, and e to the power of 0 is 1: that is still a weight, so they must "
            "be −inf.",
        ),
        Mistake(
            "states-zeroed", _states_zeroed,
            "You set the padding's states to 0; their scores are then 0, not −inf, and they still take weight from "
            "the real letters.",
        ),
        Mistake(
            "mask-inverted", _padded(_fill(lambda places, lengths: places >= lengths)),
            "You hide the real letters and show the padding: turn the mask round.",
        ),
        Mistake(
            "one-too-many", _padded(_fill(lambda places, lengths: places <= lengths)),
            "One place of padding is still seen: places count from 0, so a word of length 3 has the places 0, 1 and 2.",
        ),
        Mistake(
            "one-too-few", _padded(_fill(lambda places, lengths: places < (lengths - 1).clamp(min=1))),
            "The last letter of each word is hidden as well: places count from 0, so a word of length 3 has the places "
            "0, 1 and 2.",
        ),
        Mistake(
            "shortest-for-all", _first_length,
            "You cut all words to the shortest; each row has its own length.",
        ),
    ],
)  # fmt: skip


# 7.5 Reading an alignment.

KNIGHT = torch.tensor([[0.1, 0.8, 0.1, 0, 0, 0], [0, 0.05, 0.6, 0.2, 0.15, 0], [0, 0, 0, 0.1, 0.1, 0.8]])


def _read_knight() -> dict:
    columns = KNIGHT.sum(0)
    return {
        "the letter that AY looks at most": "knight"[int(KNIGHT[1].argmax())],
        "the sum of each row": 1.0,
        "each column sums to 1": bool((columns - 1).abs().max() < 1e-6),
        "all the weight that g gets": round(columns[3].item(), 4),
        "letters with less than 0.3 in all": int((columns < 0.3).sum()),
        "the shape for 5 words of 7 letters and 4 sounds": tuple(torch.zeros(5, 4, 7).shape),
        "the sum of all weights in that batch": 5 * 4,
    }


READING = Prediction(
    "7.5", "Read an alignment",
    truth=_read_knight,
    mistakes=[
        Mistake(
            "columns-sum-to-one", {"each column sums to 1": True},
            "You expect each column to sum to 1; only rows do, since each sound shares out its own weight, and a "
            "silent letter may get none.",
        ),
        Mistake(
            "letters-by-sounds", {"the shape for 5 words of 7 letters and 4 sounds": (5, 7, 4)},
            "Your shape has the letters before the sounds; sounds ask, so they come first, and the keys are last.",
        ),
        Mistake(
            "batch-forgotten", {"the shape for 5 words of 7 letters and 4 sounds": (4, 7)},
            "Your shape is that of one word; each word of the batch has a table of its own.",
        ),
        Mistake(
            "sum-is-words", {"the sum of all weights in that batch": 5},
            "You counted 1 for each word; it is 1 for each row, and every word has a row for each of its sounds.",
        ),
        Mistake(
            "sum-is-letters", {"the sum of all weights in that batch": 35},
            "You counted 1 for each letter; it is the sounds that have 1 each to give away.",
        ),
        Mistake(
            "row-by-position", {"the letter that AY looks at most": "n"},
            "The second sound need not look at the second letter: look along its row for the largest weight.",
        ),
        Mistake(
            "largest-of-the-column", {"all the weight that g gets": 0.2},
            "You gave the largest weight in the column of g; all sounds together give it more.",
        ),
        Mistake(
            "below-in-every-row", {"letters with less than 0.3 in all": 3},
            "You looked for letters with no single weight of 0.3; add up each column first.",
        ),
    ],
)  # fmt: skip


# 7.6 One score, three readings. Steps and places are coded differently, as a decoder's and an encoder's states are.

STEPS, PLACES = torch.eye(5)[[2, 0, 4, 1, 3]], torch.eye(5)[[1, 3, 0, 4, 2]]


def _matrices(answer) -> list[Tensor]:
    return [torch.as_tensor(one, dtype=torch.float32) for one in answer]


def _weights_of(answer, number: int) -> Tensor:
    return torch.softmax(STEPS @ _matrices(answer)[number] @ PLACES.T, dim=-1)


def _three_of_five(answer) -> bool:
    return len(answer) == 3 and all(one.shape == (5, 5) and bool(one.isfinite().all()) for one in _matrices(answer))


def _follows(answer, number: int, order: Tensor) -> bool:
    return torch.equal(_weights_of(answer, number).argmax(-1), order)


def _sure(answer, number: int) -> bool:
    return bool((_weights_of(answer, number).amax(-1) > 0.9).all())


READINGS = Witness(
    "7.6", "One score, three readings",
    requirements=[
        Requirement(
            "not-three-matrices", _three_of_five,
            "Give three matrices of shape (5, 5), with finite numbers: forwards, backwards, and always the same.",
        ),
        Requirement(
            "not-forwards", lambda answer: _follows(answer, 0, torch.arange(5)),
            "With your first matrix some step does not look at its own letter: the matrix has to translate the code "
            "of a step into the code of its place.",
        ),
        Requirement(
            "forwards-too-flat", lambda answer: _sure(answer, 0),
            "Your first matrix finds the right letters, but gives them too little weight: make its scores larger.",
        ),
        Requirement(
            "not-backwards", lambda answer: _follows(answer, 1, torch.arange(4, -1, -1)),
            "With your second matrix some step does not look at its mirror letter: the first step belongs to the "
            "last place.",
        ),
        Requirement(
            "backwards-too-flat", lambda answer: _sure(answer, 1),
            "Your second matrix finds the mirror letters, but gives them too little weight: make its scores larger.",
        ),
        Requirement(
            "steps-differ",
            lambda answer: bool((_weights_of(answer, 2) - _weights_of(answer, 2)[:1]).abs().max() < 1e-4),
            "With your third matrix the weights still depend on the step: all its rows must be equal.",
        ),
        Requirement(
            "the-same-but-flat", lambda answer: _sure(answer, 2),
            "Your third matrix makes all steps alike, but they look nowhere in particular: give one letter over 0.9.",
        ),
    ],
)  # fmt: skip


# 7.7 The truth is read at test time.


def _pronounce_oracle(step, state, target_in):
    token, written = torch.full((len(target_in),), START), []
    for _ in range(target_in.shape[1]):
        logits, state = step(token, state)
        token = torch.tensor([int(row.argmax()) for row in logits])
        written.append(token)
    return torch.stack(written, dim=1)


def _writes(first=None, following=lambda token, gold: token, carry=True, dim=-1, report=lambda read, written: written):
    def answer(step, state, target_in):
        token = target_in[:, 0] if first is None else torch.full_like(target_in[:, 0], first)
        read, written = [], []
        for place in range(target_in.shape[1]):
            read.append(token)
            logits, new = step(token, state)
            state = new if carry else state
            guess = logits.argmax(dim)[: len(token)]
            written.append(guess)
            gold = target_in[:, min(place + 1, target_in.shape[1] - 1)]
            token = following(guess, gold) if following else token
        return torch.stack(report(read, written), dim=1)

    return answer


def _draw_writing(generator: torch.Generator) -> list[tuple]:
    def case(batch: int, target: int, size: int, sounds: int) -> tuple:
        embed, mix, project = (
            _draw(generator, sounds, size),
            _draw(generator, size, size),
            _draw(generator, sounds, size),
        )

        def step(token, state):
            state = torch.tanh(embed[token] + state @ mix.T / 2)
            return state @ project.T, state

        target_in = torch.randint(4, sounds, (batch, target), generator=generator)
        target_in[:, 0] = START
        return step, _draw(generator, batch, size), target_in

    return [case(6, 8, 7, 9), case(4, 9, 5, 12)]


GOLD = Exercise(
    "7.7", "Too good to be true",
    oracle=_pronounce_oracle, inputs=_draw_writing,
    mistakes=[
        Mistake(
            "unrepaired", _writes(following=lambda guess, gold: gold),
            "It still reads the true sounds, which nobody has when the model is used: let it read what it wrote.",
        ),
        Mistake(
            "start-missing", _writes(first=PAD),
            "The first thing that it reads is padding; a word begins with the sign for the start.",
        ),
        Mistake(
            "starts-with-the-end", _writes(first=END),
            "It begins by reading the sign for the end; a word begins with the sign for the start.",
        ),
        Mistake(
            "state-forgotten", _writes(carry=False),
            "Every step starts from the first state again: the state that a step returns goes into the next one.",
        ),
        Mistake(
            "always-the-start", _writes(following=None),
            "Every step reads the sign for the start: after the first step it must read what was just written.",
        ),
        Mistake(
            "what-it-read", _writes(report=lambda read, written: read),
            "You return what was read, which begins with the sign for the start; return what was written.",
        ),
        Mistake(
            "one-late", _writes(first=None, following=lambda guess, gold: torch.full_like(guess, END)),
            "After the first step it reads the sign for the end; it must read the sound that was just written.",
        ),
    ],
)  # fmt: skip


# 7.8 What depends on what: the truth is found by moving one thing and looking for a change elsewhere.


def _tiny(kind: type, score: nn.Module | None = None) -> Seq2Seq:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return kind(8, 8, 4, score).eval()


def _dependencies() -> dict:
    source, mask = torch.tensor([[4, 5, 6]]), torch.ones(1, 1, 3, dtype=torch.bool)
    other = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(2))
    first, second = _tiny(Bahdanau), _tiny(Seq2Seq, Additive(4, 4, 4))
    plain = _tiny(Seq2Seq)

    def moves(model, change_letters: bool) -> bool:
        """Whether the third query (or state) moves: with the letters' states, or with the sound read at step two."""
        with torch.no_grad():
            memory = model.encode(source, mask)
            sounds = torch.tensor([[START, 4, 5]])[:, : 2 if isinstance(model, Bahdanau) else 3]
            _, _, before = model.decode(memory, sounds, memory.last)
            if change_letters:
                memory = memory._replace(states=memory.states + other)
            else:
                sounds = torch.tensor([[START, 6, 5]])
            _, _, after = model.decode(memory, sounds, memory.last)
        return not torch.equal(before, after)

    return {
        "Bahdanau: the third query moves": moves(first, True),
        "Luong: the third query moves": moves(second, True),
        "one vector: the third state moves": moves(plain, True),
        "Luong: the third query moves with the sound": moves(second, False),
        "Bahdanau: the first query is the encoder's last state": True,
        "Luong: greedy writing needs no loop": False,
    }


DEPENDS = Prediction(
    "7.8", "What depends on what",
    truth=_dependencies,
    mistakes=[
        Mistake(
            "context-stays-outside", {"Bahdanau: the third query moves": False},
            "In Bahdanau's order the context goes into the cell, so what was found at one step is part of every "
            "later query.",
        ),
        Mistake(
            "context-in-the-cell", {"Luong: the third query moves": True},
            "In Luong's order the cell reads sounds only: the contexts are joined on the way out, and never come back.",
        ),
        Mistake(
            "one-vector-sees-letters", {"one vector: the third state moves": True},
            "The decoder with one vector sees the last state only, and that was kept as it was.",
        ),
        Mistake(
            "queries-ignore-sounds", {"Luong: the third query moves with the sound": False},
            "The cell reads the sounds before, so another sound makes another state, and the state is the query.",
        ),
        Mistake(
            "first-query-from-the-sound", {"Bahdanau: the first query is the encoder's last state": False},
            "Before the first step the decoder's state is what it starts from, and that asks first.",
        ),
        Mistake(
            "greedy-at-once", {"Luong: greedy writing needs no loop": True},
            "When the model writes by itself, a step reads what the step before has written: only the truth, given "
            "in advance, allows all steps at once.",
        ),
    ],
)  # fmt: skip


# 7.9 Fade, explode, remember.


def _factors(answer) -> list[float]:
    return [abs(float(one)) for one in answer]


FADE = Witness(
    "7.9", "Fade, explode, remember",
    requirements=[
        Requirement(
            "not-three", lambda answer: len(answer) == 3 and all(math.isfinite(one) for one in _factors(answer)),
            "Give three finite numbers: one that fades, one that explodes, one that remembers.",
        ),
        Requirement(
            "does-not-fade", lambda answer: _factors(answer)[0] ** 11 < 0.01,
            "After eleven steps your first factor has left more than a hundredth: raise it to the power of 11.",
        ),
        Requirement(
            "fades-at-once", lambda answer: _factors(answer)[0] >= 0.5,
            "Your first factor is below a half; that would be forgotten within a letter or two. Take one of at least "
            "0.5.",
        ),
        Requirement(
            "does-not-explode", lambda answer: _factors(answer)[1] ** 11 > 100,
            "After eleven steps your second factor has not grown a hundredfold: raise it to the power of 11.",
        ),
        Requirement(
            "explodes-at-once", lambda answer: _factors(answer)[1] <= 2,
            "Your second factor is above 2; a much smaller one is enough, which is the point.",
        ),
        Requirement(
            "forgets", lambda answer: _factors(answer)[2] ** 100 >= 0.5,
            "After a hundred steps less than half is left of your third: it must be closer to 1.",
        ),
        Requirement(
            "does-not-forget-at-all", lambda answer: _factors(answer)[2] ** 100 <= 0.6,
            "Your third leaves more than 0.6 after a hundred steps: something should fade, so find the factor that "
            "leaves about half.",
        ),
    ],
)  # fmt: skip

EXERCISES = [SHIFT, BAHDANAU_STEP, LUONG, PADDING, READING, READINGS, GOLD, DEPENDS, FADE]
