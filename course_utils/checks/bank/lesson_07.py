"""Exercises of lesson 07: the shift, both orders of looking, padding, alignments, scores, greedy writing, fading."""

import math

import torch
from torch import Tensor, nn

from course_utils.attention.scores import Additive
from course_utils.checks.bank.parts import as_double, draw
from course_utils.checks.forms import edited, predict, prove, write
from course_utils.data.text import END, PAD, START
from course_utils.models.bahdanau import Bahdanau
from course_utils.models.seq2seq import Seq2Seq


def _rows(sequences: list[list[int]], fill: int = PAD, left: bool = False) -> Tensor:
    longest = max(map(len, sequences))
    gaps = [[fill] * (longest - len(one)) for one in sequences]
    return torch.tensor([gap + one if left else one + gap for one, gap in zip(sequences, gaps, strict=True)])


def _mask(lengths: Tensor, source: int) -> Tensor:
    return torch.arange(source) < lengths[:, None]  # (batch, source)


def _padded_by_turns(lengths: list[int], source: int) -> Tensor:
    """Masks of words padded on the right and on the left by turns: each has padding, and no place is padding in all."""
    mask = _mask(torch.tensor(lengths), source)
    return torch.stack([row.flip(0) if place % 2 else row for place, row in enumerate(mask)])


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


def _end_in_the_shorter(targets):
    """Both tables cut from one that holds everything: in the shorter rows END stands in what is read, too."""
    full = _rows([[START, *target, END] for target in targets])
    return full[:, :-1], full[:, 1:]


def _end_behind_the_padding(targets):
    rows = _rows(targets)
    start, end = torch.full((len(rows), 1), START), torch.full((len(rows), 1), END)
    return torch.cat([start, rows], dim=1), torch.cat([rows, end], dim=1)


def _draw_targets(generator: torch.Generator) -> list[tuple]:
    def numbers(length: int) -> list[int]:
        return torch.randint(4, 40, (length,), generator=generator).tolist()

    return [([numbers(length) for length in lengths],) for lengths in ((3, 5, 2), (4, 1), (2,))]


def _say_floats(answer, targets):
    """Runs the answer; tables of floats, which no embedding can look up, come back with a third item."""
    result = answer(targets)
    parts = result if isinstance(result, tuple | list) else ()
    floats = any(isinstance(part, Tensor) and part.is_floating_point() for part in parts)
    return (*result, "floats") if floats else result


SHIFT = write(
    "7.1",
    oracle=_shifted_oracle,
    inputs=_draw_targets,
    call=_say_floats,
    results=("target_in", "target_out"),
    mistakes={
        "not-shifted": _shift(lambda t: [*t, END], lambda t: [*t, END]),
        "swapped": _shift(lambda t: [*t, END], lambda t: [START, *t]),
        "end-never-written": _shift(lambda t: [START, *t[:-1]], lambda t: t),
        "end-missing": _shift(lambda t: [START, *t], lambda t: [*t, PAD]),
        "end-in-the-shorter": _end_in_the_shorter,
        "floats": lambda targets: tuple(table.float() for table in _shifted_oracle(targets)),
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


def _bahdanau(sound, before, states, mask, w_query, w_key, v, cell):
    asks = before
    hidden = (asks @ w_query.T)[:, None] + states @ w_key.T
    scores = torch.tanh(hidden) @ v
    weights = torch.softmax(scores.masked_fill(~mask, -math.inf), dim=-1)
    context = torch.einsum("bs,bsd->bd", weights, states)
    return cell(torch.cat([sound, context], dim=-1), before), context, weights


def _after_asks(sound, before, states, mask, w_query, w_key, v, cell):
    after = _bahdanau(sound, before, states, mask, w_query, w_key, v, cell)[0]
    return after, *_bahdanau(sound, after, states, mask, w_query, w_key, v, cell)[1:]


def _cell_first(sound, before, states, mask, w_query, w_key, v, cell):
    after = cell(torch.cat([sound, torch.zeros_like(sound)], dim=-1), before)
    return after, *_bahdanau(sound, after, states, mask, w_query, w_key, v, cell)[1:]


def _draw_step(generator: torch.Generator) -> list[tuple]:
    def case(lengths: list[int], size: int, hidden: int) -> tuple:
        batch, source = len(lengths), max(lengths) + 1  # one place of padding even for the longest
        cell = nn.GRUCell(2 * size, size)
        with torch.no_grad():
            for weight in cell.parameters():
                weight.copy_(torch.randn(weight.shape, generator=generator) / 2)
        sound, before, states = draw(generator, (batch, size), (batch, size), (batch, source, size))
        scoring = draw(generator, (hidden, size), (hidden, size), (hidden,))
        return sound, before, states, _padded_by_turns(lengths, source), *scoring, cell

    return [case([5, 3], 4, 6), case([2, 4, 7], 6, 5)]


BAHDANAU_STEP = write(
    "7.2",
    oracle=_bahdanau_oracle,
    inputs=_draw_step,
    results=("state after", "context", "weights"),
    mistakes={
        "state-after-asks": _after_asks,
        "cell-moves-first": _cell_first,
        **edited(
            _bahdanau,
            {
                "sound-asks": ("asks = before", "asks = sound"),
                "tanh-after-the-sum": ("torch.tanh(hidden) @ v", "torch.tanh(hidden @ v)"),
                "no-tanh": ("torch.tanh(hidden)", "hidden"),
                "divided-by-the-root": ("torch.tanh(hidden) @ v", "torch.tanh(hidden) @ v / math.sqrt(len(v))"),
                "v-forgotten": ("torch.tanh(hidden) @ v", "torch.tanh(hidden).sum(-1)"),
                "no-query": ("(asks @ w_query.T)[:, None] + ", ""),
                "matrices-swapped": [
                    ("asks @ w_query", "asks @ w_k"),
                    ("states @ w_key", "states @ w_query"),
                    ("w_k.T", "w_key.T"),
                ],
                "mask-after-softmax": (".masked_fill(~mask, -math.inf), dim=-1)", ", dim=-1) * mask"),
                "mask-inverted": ("~mask", "mask"),
                "filled-with-zero": ("-math.inf", "0.0"),
                "no-mask": (".masked_fill(~mask, -math.inf)", ""),
                "no-mask-and-context-first": [
                    (".masked_fill(~mask, -math.inf)", ""),
                    ("[sound, context]", "[context, sound]"),
                ],
                "over-the-batch": ("-math.inf), dim=-1", "-1e9), dim=0"),
                "context-first": ("[sound, context]", "[context, sound]"),
                "from-the-context": ("dim=-1), before)", "dim=-1), context)"),
            },
        ),
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


def _luong(after, states, mask, w, w_join):
    scores = after @ w @ states.transpose(1, 2)
    weights = torch.softmax(scores.masked_fill(~mask[:, None], -math.inf), dim=-1)
    context = weights @ states
    return torch.tanh(torch.cat([context, after], dim=-1) @ w_join.T), weights


def _draw_luong(generator: torch.Generator) -> list[tuple]:
    def case(lengths: list[int], target: int, size: int) -> tuple:
        batch, source = len(lengths), max(lengths) + 1  # one place of padding even for the longest
        after, states, w, w_join = draw(
            generator, (batch, target, size), (batch, source, size), (size, size), (size, 2 * size)
        )
        return after, states, _padded_by_turns(lengths, source), w / 2, w_join / 2

    return [case([5, 3], 3, 4), case([2, 4, 7], 5, 6)]


LUONG = write(
    "7.3",
    oracle=_luong_oracle,
    inputs=_draw_luong,
    results=("joined", "weights"),
    mistakes=edited(
        _luong,
        {
            "over-the-steps": ("-math.inf), dim=-1", "-math.inf), dim=1"),
            "joined-along-the-steps": ("[context, after], dim=-1", "[context, after], dim=1"),
            "state-first": ("[context, after]", "[after, context]"),
            "context-alone": ("torch.cat([context, after], dim=-1) @ w_join.T", "context @ w_join[:, : len(w)].T"),
            "added": ("torch.cat([context, after], dim=-1) @ w_join.T", "(context + after) @ w_join[:, : len(w)].T"),
            "no-tanh": ("torch.tanh(", "("),
            "context-of-the-step-before": (
                "weights @ states",
                "weights.roll(1, 1).index_fill(1, torch.tensor(0), 0.0) @ states",
            ),
            "matrix-transposed": ("after @ w @", "after @ w.T @"),
            "divided-by-the-root": ("states.transpose(1, 2)", "states.transpose(1, 2) / math.sqrt(len(w))"),
            "mask-after-softmax": (".masked_fill(~mask[:, None], -math.inf), dim=-1)", ", dim=-1) * mask[:, None]"),
            "mask-inverted": ("~mask", "mask"),
            "filled-with-zero": ("-math.inf", "0.0"),
            "no-mask": (".masked_fill(~mask[:, None], -math.inf)", ""),
            "no-mask-and-state-first": [
                (".masked_fill(~mask[:, None], -math.inf)", ""),
                ("[context, after]", "[after, context]"),
            ],
        },
    ),
)


# 7.4 Padding is attended to.


def _padded_oracle(query, states, lengths):
    contexts = []
    for row, length in enumerate(lengths.tolist()):
        real = states[row, :length]
        contexts.append(torch.softmax(query[row] @ real.T, dim=-1) @ real)
    return torch.stack(contexts)


def _padded(query, states, lengths):
    scores = query @ states.transpose(1, 2)
    real = torch.arange(states.shape[1]) < lengths[:, None, None]
    weights = torch.softmax(scores.masked_fill(~real, -math.inf), dim=-1)
    return weights @ states


def _draw_padded(generator: torch.Generator) -> list[tuple]:
    def case(lengths: list[int], target: int, size: int) -> tuple:
        source = max(lengths) + 1  # one place of padding even for the longest
        return *draw(generator, (len(lengths), target, size), (len(lengths), source, size)), torch.tensor(lengths)

    query, states, lengths = case([3, 2], 2, 4)
    # Padding that scores 300, far above every letter: who hides it too late has nothing left.
    states[:, -1] = 300 * query[:, 0] / query[:, 0].square().sum(-1, keepdim=True)
    scoring_nothing = case([2, 4, 6], 5, 3)
    scoring_nothing[1][1:, 0] = 0.0  # a real letter whose score is 0, as that of padding that was set to 0
    return [case([5, 3], 2, 4), scoring_nothing, (query, states, lengths)]


PADDING = write(
    "7.4",
    oracle=_padded_oracle,
    inputs=_draw_padded,
    mistakes=edited(
        _padded,
        {
            "unrepaired": (".masked_fill(~real, -math.inf)", ""),
            "mask-after-softmax": (".masked_fill(~real, -math.inf), dim=-1)", ", dim=-1) * real"),
            "renormalised-late": [
                (".masked_fill(~real, -math.inf), dim=-1)", ", dim=-1) * real"),
                ("return weights", "return weights / weights.sum(dim=-1, keepdim=True)"),
            ],
            "scaled": ("states.transpose(1, 2)", "states.transpose(1, 2) / math.sqrt(states.shape[-1])"),
            "filled-with-zero": ("-math.inf", "0.0"),
            "states-zeroed": [
                ("scores = ", "states = states * _mask(lengths, states.shape[1])[..., None]\n    scores = "),
                (".masked_fill(~real, -math.inf)", ""),
            ],
            "zero-hidden": [
                ("scores = ", "states = states * _mask(lengths, states.shape[1])[..., None]\n    scores = "),
                ("~real", "scores == 0"),
            ],
            "scores-for-lengths": ("~real", "scores == 0"),
            "mask-inverted": ("~real", "real"),
            "one-too-many": ("<", "<="),
            "one-too-few": ("lengths[:, None, None]", "(lengths[:, None, None] - 1).clamp(min=1)"),
            "shortest-for-all": ("lengths[:, None, None]", "lengths.min()"),
            "longest-for-all": ("lengths[:, None, None]", "lengths.max()"),
            "first-for-all": ("lengths[:, None, None]", "lengths[0]"),
            "mask-lacks-an-axis": ("lengths[:, None, None]", "lengths[:, None]"),
        },
    ),
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
    return [as_double(one).float() for one in answer]


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


def _pronounce(step, state, target_in):
    token, written = target_in[:, 0], []
    for _ in range(target_in.shape[1]):
        logits, state = step(token, state)
        token = logits.argmax(dim=-1)
        written.append(token)
    return torch.stack(written, dim=1)


def _stopping(step, state, target_in, after):
    token, written = target_in[:, 0], []
    ended = torch.zeros(len(target_in), dtype=torch.bool)
    for _ in range(target_in.shape[1]):
        logits, state = step(token, state)
        token = after(logits.argmax(dim=-1), ended)
        ended = ended | (token == END)
        written.append(token)
        if after is _as_it_is and ended.all():
            break
    return torch.stack(written, dim=1)


def _as_it_is(token, ended):
    return token


def _padded_behind(token, ended):
    return token.masked_fill(ended, PAD)


def _draw_writing(generator: torch.Generator) -> list[tuple]:
    def case(batch: int, target: int, size: int, sounds: int, ends: int = 99) -> tuple:
        embed, mix, project = draw(generator, (sounds, size), (size, size), (sounds, size))

        def step(token, state):
            count, state = state[:, :1] + 1, torch.tanh(embed[token] + state[:, 1:] @ mix.T / 2)
            logits = state @ project.T
            logits[:, END] += 100 * (count[:, 0] == ends)  # all words end at this step, and the model goes on
            return logits, torch.cat([count, state], dim=1)

        target_in = torch.randint(4, sounds, (batch, target), generator=generator)
        target_in[:, 0] = START
        state = torch.cat([torch.zeros(batch, 1), *draw(generator, (batch, size))], dim=1)
        return step, state, target_in

    return [case(6, 8, 7, 9), case(4, 9, 5, 12), case(3, 7, 6, 10, ends=4)]


GOLD = write(
    "7.7",
    oracle=_pronounce_oracle,
    inputs=_draw_writing,
    mistakes={
        "stops-early": lambda *given: _stopping(*given, _as_it_is),
        "pads-behind-the-end": lambda *given: _stopping(*given, _padded_behind),
    }
    | edited(
        _pronounce,
        {
            "unrepaired": [
                ("for _ in range(target_in.shape[1])", "for token in target_in.T"),
                ("token = logits", "guess = logits"),
                ("append(token)", "append(guess)"),
            ],
            "start-missing": ("target_in[:, 0]", "torch.full((len(state),), PAD)"),
            "starts-with-the-end": ("target_in[:, 0]", "torch.full((len(state),), END)"),
            "state-forgotten": ("logits, state = ", "logits, _ = "),
            "always-the-start": ("step(token,", "step(target_in[:, 0],"),
            "what-it-read": [
                ("        logits, state", "        written.append(token)\n        logits, state"),
                ("        written.append(token)\n    return", "    return"),
            ],
            "one-late": (
                "        written.append(token)\n",
                "        written.append(token)\n        token = torch.full_like(token, END)\n",
            ),
        },
    ),
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
    return [float(one) for one in answer]


FADE = prove(
    "7.9",
    requirements={
        "not-three": lambda answer: len(answer) == 3 and all(math.isfinite(one) for one in _factors(answer)),
        "not-above-zero": lambda answer: min(_factors(answer)) > 0,
        "does-not-fade": lambda answer: _factors(answer)[0] ** 11 < 0.01,
        "fades-at-once": lambda answer: _factors(answer)[0] >= 0.5,
        "does-not-explode": lambda answer: _factors(answer)[1] ** 11 > 100,
        "explodes-at-once": lambda answer: _factors(answer)[1] <= 2,
        "forgets": lambda answer: _factors(answer)[2] ** 100 >= 0.5,
        "does-not-forget-at-all": lambda answer: _factors(answer)[2] ** 100 <= 0.6,
    },
)

EXERCISES = [SHIFT, BAHDANAU_STEP, LUONG, PADDING, READING, READINGS, GOLD, DEPENDS, FADE]
