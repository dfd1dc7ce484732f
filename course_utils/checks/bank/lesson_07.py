"""Exercises of lesson 07: the shift, both orders of looking, padding, alignments, scores, greedy writing, fading."""

import math

import torch
from torch import Tensor, nn

from course_utils.attention.scores import Additive
from course_utils.checks.forms import predict, prove, write
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


SHIFT = write(
    "7.1",
    oracle=_shifted_oracle,
    inputs=_draw_targets,
    mistakes={
        "not-shifted": _shift(lambda t: [*t, END], lambda t: [*t, END]),
        "swapped": _shift(lambda t: [*t, END], lambda t: [START, *t]),
        "end-never-written": _shift(lambda t: [START, *t[:-1]], lambda t: t),
        "end-is-read": _shift(lambda t: [START, *t, END], lambda t: [*t, END, PAD]),
        "start-is-written": _shift(lambda t: [START, *t, END], lambda t: [START, *t, END]),
        "end-behind-the-padding": _end_behind_the_padding,
        "padded-on-the-left": _shift(lambda t: [START, *t], lambda t: [*t, END], left=True),
        "filled-with-end": _shift(lambda t: [START, *t], lambda t: [*t, END], fill=END),
    },
)


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
            _draw(generator, batch, size),
            _draw(generator, batch, size),
            _draw(generator, batch, source, size),
            _mask(torch.tensor(lengths), source),
            _draw(generator, hidden, size),
            _draw(generator, hidden, size),
            _draw(generator, hidden),
            cell,
        )

    return [case([5, 3], 4, 6), case([2, 4, 7], 6, 5)]


BAHDANAU_STEP = write(
    "7.2",
    oracle=_bahdanau_oracle,
    inputs=_draw_step,
    mistakes={
        "state-after-asks": _after_asks,
        "sound-asks": _sound_asks,
        "tanh-after-the-sum": _bahdanau(lambda q, k, wq, wk, v: torch.tanh(((q @ wq.T)[:, None] + k @ wk.T) @ v)),
        "no-tanh": _bahdanau(lambda q, k, wq, wk, v: ((q @ wq.T)[:, None] + k @ wk.T) @ v),
        "v-forgotten": _bahdanau(lambda q, k, wq, wk, v: torch.tanh((q @ wq.T)[:, None] + k @ wk.T).sum(-1)),
        "no-query": _bahdanau(lambda q, k, wq, wk, v: torch.tanh(k @ wk.T) @ v),
        "mask-after-softmax": _bahdanau(weigh=lambda scores, mask: torch.softmax(scores, -1) * mask),
        "mask-inverted": _bahdanau(weigh=lambda scores, mask: _hide(scores, ~mask)),
        "no-mask": _bahdanau(weigh=lambda scores, mask: torch.softmax(scores, -1)),
        "over-the-batch": _bahdanau(weigh=lambda scores, mask: scores.masked_fill(~mask, -1e9).softmax(0)),
        "context-first": _bahdanau(join=lambda sound, context: torch.cat([context, sound], -1)),
        "from-the-context": _bahdanau(start=lambda before, context: context),
    },
)


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
            _draw(generator, batch, target, size),
            _draw(generator, batch, source, size),
            _mask(torch.tensor(lengths), source),
            _draw(generator, size, size) / 2,
            _draw(generator, size, 2 * size) / 2,
        )

    return [case([5, 3], 3, 4), case([2, 4, 7], 5, 6)]


LUONG = write(
    "7.3",
    oracle=_luong_oracle,
    inputs=_draw_luong,
    mistakes={
        "over-the-steps": _luong(weigh=lambda scores, mask: scores.masked_fill(~mask[:, None], -math.inf).softmax(1)),
        "joined-along-the-steps": _luong(join=lambda c, a, w: torch.tanh(torch.cat([c, a], dim=1) @ w.T)),
        "state-first": _luong(join=lambda c, a, w: _side_by_side(a, c, w)),
        "context-alone": _luong(join=lambda c, a, w: torch.tanh(c @ w[:, : c.shape[-1]].T)),
        "added": _luong(join=lambda c, a, w: torch.tanh((c + a) @ w[:, : c.shape[-1]].T)),
        "no-tanh": _luong(join=lambda c, a, w: torch.cat([c, a], -1) @ w.T),
        "context-of-the-step-before": _luong(join=_context_of_the_step_before),
        "matrix-transposed": _luong(score=lambda a, w, s: a @ w.T @ s.transpose(1, 2)),
        "divided-by-the-root": _luong(score=lambda a, w, s: a @ w @ s.transpose(1, 2) / math.sqrt(a.shape[-1])),
        "mask-after-softmax": _luong(weigh=lambda scores, mask: scores.softmax(-1) * mask[:, None]),
        "mask-inverted": _luong(weigh=lambda scores, mask: _shown(scores, ~mask)),
        "no-mask": _luong(weigh=lambda scores, mask: scores.softmax(-1)),
    },
)


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


PADDING = write(
    "7.4",
    oracle=_padded_oracle,
    inputs=_draw_padded,
    mistakes={
        "unrepaired": _padded(lambda scores, places, lengths: scores.softmax(-1)),
        "mask-after-softmax": _padded(lambda scores, places, lengths: scores.softmax(-1) * _real(places, lengths)),
        "filled-with-zero": _padded(_fill(_real, 0.0)),
        "states-zeroed": _states_zeroed,
        "mask-inverted": _padded(_fill(lambda places, lengths: places >= lengths)),
        "one-too-many": _padded(_fill(lambda places, lengths: places <= lengths)),
        "one-too-few": _padded(_fill(lambda places, lengths: places < (lengths - 1).clamp(min=1))),
        "shortest-for-all": _first_length,
    },
)


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


READING = predict(
    "7.5",
    truth=_read_knight,
    mistakes={
        "columns-sum-to-one": {"each column sums to 1": True},
        "letters-by-sounds": {"the shape for 5 words of 7 letters and 4 sounds": (5, 7, 4)},
        "batch-forgotten": {"the shape for 5 words of 7 letters and 4 sounds": (4, 7)},
        "sum-is-words": {"the sum of all weights in that batch": 5},
        "sum-is-letters": {"the sum of all weights in that batch": 35},
        "row-by-position": {"the letter that AY looks at most": "n"},
        "largest-of-the-column": {"all the weight that g gets": 0.2},
        "below-in-every-row": {"letters with less than 0.3 in all": 3},
    },
)


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


READINGS = prove(
    "7.6",
    requirements={
        "not-three-matrices": _three_of_five,
        "not-forwards": lambda answer: _follows(answer, 0, torch.arange(5)),
        "forwards-too-flat": lambda answer: _sure(answer, 0),
        "not-backwards": lambda answer: _follows(answer, 1, torch.arange(4, -1, -1)),
        "backwards-too-flat": lambda answer: _sure(answer, 1),
        "steps-differ": lambda answer: bool((_weights_of(answer, 2) - _weights_of(answer, 2)[:1]).abs().max() < 1e-4),
        "the-same-but-flat": lambda answer: _sure(answer, 2),
    },
)


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


GOLD = write(
    "7.7",
    oracle=_pronounce_oracle,
    inputs=_draw_writing,
    mistakes={
        "unrepaired": _writes(following=lambda guess, gold: gold),
        "start-missing": _writes(first=PAD),
        "starts-with-the-end": _writes(first=END),
        "state-forgotten": _writes(carry=False),
        "always-the-start": _writes(following=None),
        "what-it-read": _writes(report=lambda read, written: read),
        "one-late": _writes(first=None, following=lambda guess, gold: torch.full_like(guess, END)),
    },
)


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


DEPENDS = predict(
    "7.8",
    truth=_dependencies,
    mistakes={
        "context-stays-outside": {"Bahdanau: the third query moves": False},
        "context-in-the-cell": {"Luong: the third query moves": True},
        "one-vector-sees-letters": {"one vector: the third state moves": True},
        "queries-ignore-sounds": {"Luong: the third query moves with the sound": False},
        "first-query-from-the-sound": {"Bahdanau: the first query is the encoder's last state": False},
        "greedy-at-once": {"Luong: greedy writing needs no loop": True},
    },
)


# 7.9 Fade, explode, remember.


def _factors(answer) -> list[float]:
    return [abs(float(one)) for one in answer]


FADE = prove(
    "7.9",
    requirements={
        "not-three": lambda answer: len(answer) == 3 and all(math.isfinite(one) for one in _factors(answer)),
        "does-not-fade": lambda answer: _factors(answer)[0] ** 11 < 0.01,
        "fades-at-once": lambda answer: _factors(answer)[0] >= 0.5,
        "does-not-explode": lambda answer: _factors(answer)[1] ** 11 > 100,
        "explodes-at-once": lambda answer: _factors(answer)[1] <= 2,
        "forgets": lambda answer: _factors(answer)[2] ** 100 >= 0.5,
        "does-not-forget-at-all": lambda answer: _factors(answer)[2] ** 100 <= 0.6,
    },
)

EXERCISES = [SHIFT, BAHDANAU_STEP, LUONG, PADDING, READING, READINGS, GOLD, DEPENDS, FADE]
