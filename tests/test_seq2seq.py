"""The encoder-decoder: padding changes nothing, rows are independent, and it equals a plain loop step by step."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_utils.attention import attend, dot, scaled_dot
from course_utils.attention.local import LocalP
from course_utils.attention.masks import padding_mask
from course_utils.attention.scores import Additive
from course_utils.data.text import END, PAD, START, Vocabulary, collate
from course_utils.models.bahdanau import Bahdanau
from course_utils.models.seq2seq import Global, Seq2Seq, token_loss
from course_utils.train.fit import fit

LENGTHS = torch.tensor([5, 3, 1, 4])
SCORES = {"none": lambda: None, "scaled dot": lambda: scaled_dot, "additive": lambda: Additive(8, 8, 6)}


@pytest.fixture(params=list(SCORES))
def model(request):
    torch.manual_seed(0)
    return Seq2Seq(11, 7, size=8, score=SCORES[request.param]())


def draw(longest=5, target=4, seed=1):
    generator = torch.Generator().manual_seed(seed)
    source = torch.randint(4, 11, (4, 5), generator=generator)
    mask = padding_mask(LENGTHS, longest)
    source = F.pad(source, (0, longest - 5)).masked_fill(~mask[:, 0], PAD)
    return source, mask, torch.randint(3, 7, (4, target), generator=generator)


def test_shapes(model):
    source, mask, target = draw()
    logits, weights = model(source, mask, target)
    assert logits.shape == (4, 4, 7)
    if model.attention is None:
        assert weights is None
    else:
        assert weights.shape == (4, 4, 5)
        assert torch.allclose(weights.sum(-1), torch.ones(4, 4)) and (weights * ~mask == 0).all()


@pytest.mark.parametrize("mode", [True, False])
def test_more_padding_and_what_stands_there_change_nothing(model, mode):
    model.train(mode)
    source, mask, target = draw()
    logits, weights = model(source, mask, target)
    wider, wide_mask, _ = draw(longest=9)
    wider = torch.where(wide_mask[:, 0], wider, 10)  # not even <pad> in the padding
    again, wide_weights = model(wider, wide_mask, target)
    assert torch.allclose(logits, again, atol=1e-6)
    ids, _ = model.greedy(source, mask, 6)
    assert torch.equal(ids, model.greedy(wider, wide_mask, 6)[0])
    if weights is not None:
        assert torch.allclose(weights, wide_weights[..., :5], atol=1e-6) and (wide_weights[..., 5:] == 0).all()


def test_rows_of_a_batch_are_independent(model):
    source, mask, target = draw()
    logits, _ = model(source, mask, target)
    for row, length in enumerate(LENGTHS.tolist()):
        alone, _ = model(source[row : row + 1, :length], mask[row : row + 1, :, :length], target[row : row + 1])
        assert torch.allclose(logits[row], alone[0], atol=1e-6)


def by_hand(model, source, target):
    """One row, one step at a time, one gate at a time, one key at a time."""

    def cell(gru, suffix, x, h):
        w_x, w_h = getattr(gru, f"weight_ih_l0{suffix}"), getattr(gru, f"weight_hh_l0{suffix}")
        b_x, b_h = getattr(gru, f"bias_ih_l0{suffix}"), getattr(gru, f"bias_hh_l0{suffix}")
        r_x, z_x, n_x = (w_x @ x + b_x).chunk(3)
        r_h, z_h, n_h = (w_h @ h + b_h).chunk(3)
        reset, update = torch.sigmoid(r_x + r_h), torch.sigmoid(z_x + z_h)
        return (1 - update) * torch.tanh(n_x + reset * n_h) + update * h

    read, inputs = model.encode.read, model.encode.embed(source)
    forward, backward = [torch.zeros(4)], [torch.zeros(4)]
    for x in inputs:
        forward.append(cell(read, "", x, forward[-1]))
    for x in inputs.flip(0):
        backward.append(cell(read, "_reverse", x, backward[-1]))
    states = [torch.cat(pair) for pair in zip(forward[1:], backward[:0:-1], strict=True)]
    last = torch.cat([forward[-1], backward[-1]])
    state, logits = last, []
    for token in target:
        x = model.embed(token)
        state = cell(model.write, "", x if model.attention else torch.cat([x, last]), state)
        output = state
        if model.attention:
            scores = torch.stack([model.attention.score(state[None], key[None])[0, 0] for key in states])
            context = sum(weight * value for weight, value in zip(scores.softmax(0), states, strict=True))
            output = torch.tanh(model.join(torch.cat([context, state])))
        logits.append(model.project(output))
    return torch.stack(logits)


def test_it_equals_a_plain_loop(model):
    source, mask, target = draw()
    logits, _ = model(source, mask, target)
    for row, length in enumerate(LENGTHS.tolist()):
        assert torch.allclose(logits[row], by_hand(model, source[row, :length], target[row]), atol=1e-5)


def test_one_pass_equals_one_step_at_a_time(model):
    source, mask, target = draw()
    logits, weights = model(source, mask, target)
    memory = model.encode(source, mask)
    state = memory.last
    for step in range(target.shape[1]):
        one, looked, state = model.decode(memory, target[:, step : step + 1], state)
        assert torch.allclose(one[:, 0], logits[:, step], atol=1e-6)
        if weights is not None:
            assert torch.allclose(looked[:, 0], weights[:, step], atol=1e-6)


def test_no_target_token_sees_a_later_one(model):
    source, mask, target = draw()
    changed = target.clone()
    changed[:, 2:] = 3
    assert torch.equal(model(source, mask, target)[0][:, :2], model(source, mask, changed)[0][:, :2])


def test_greedy_reads_what_it_wrote(model):
    source, mask, _ = draw()
    ids, weights = model.greedy(source, mask, 6)
    target_in = torch.cat([torch.full((4, 1), START), ids[:, :-1]], dim=1)
    logits, looked = model(source, mask, target_in)
    ended = (ids == END).cumsum(1) - (ids == END).long() > 0  # after the first <end>
    assert torch.equal(logits.argmax(-1).masked_fill(ended, PAD), ids)
    assert not ids.requires_grad
    if weights is not None:
        assert torch.allclose(weights, looked, atol=1e-6)


def test_greedy_stops_when_every_row_has_ended(model):
    source, mask, _ = draw()
    with torch.no_grad():
        model.project.bias[END] = 100.0
    assert torch.equal(model.greedy(source, mask, 6)[0], torch.full((4, 1), END))


def test_gradients_reach_every_part_and_every_real_token_only(model):
    source, mask, target = draw()
    logits, _ = model(source, mask, target)
    logits.square().sum().backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name
    used = model.encode.embed.weight.grad.abs().sum(-1) > 0
    assert used.nonzero().flatten().tolist() == sorted(set(source[mask[:, 0]].tolist()))


def test_arguments_stay_as_they_were(model):
    given = draw()
    before = [tensor.clone() for tensor in given]
    model(*given)
    model.greedy(given[0], given[1], 3)
    assert all(torch.equal(one, two) for one, two in zip(given, before, strict=True))


def test_attention_costs_fewer_parameters_than_a_state_beside_every_input():
    count = {score: sum(w.numel() for w in Seq2Seq(11, 7, 8, score).parameters()) for score in (None, dot)}
    assert count[None] - count[dot] == 3 * 8 * 8 - (2 * 8 * 8 + 8)


def test_both_learn_to_copy():
    generator = torch.Generator().manual_seed(0)
    for score in (None, scaled_dot):
        torch.manual_seed(0)
        model = Seq2Seq(8, 8, 16, score)

        def loss(step, model=model):
            source = torch.randint(4, 8, (32, 2), generator=generator)
            target_in = torch.cat([torch.full((32, 1), START), source[:, :1]], dim=1)
            logits, _ = model(source, padding_mask(torch.full((32,), 2)), target_in)
            return F.cross_entropy(logits.transpose(1, 2), source)

        assert fit(model, loss, 120, learning_rate=0.02)[-1] < 0.1


@pytest.mark.parametrize("sizes", [(0, 7, 8), (11, 0, 8), (11, 7, 0), (11, 7, 9), (11, 7.5, 8)])
def test_bad_sizes_are_named(sizes):
    with pytest.raises(ValueError, match="size: got"):
        Seq2Seq(*sizes)


def test_bad_input_is_named(model):
    source, mask, target = draw()
    with pytest.raises(ValueError, match="source: got"):
        model(source[0], mask, target)
    for wrong in (mask[:, 0], mask.float(), mask[..., :-1], ~mask):
        with pytest.raises(ValueError, match="source_mask: got"):
            model(source, wrong, target)
    with pytest.raises(ValueError, match="source_mask: got"):
        model(source, mask.flip(-1), target)
    with pytest.raises(ValueError, match="source_mask: got"):
        model(source, mask & False, target)
    with pytest.raises(ValueError, match="target_in: got"):
        model(source, mask, target[:2])
    with pytest.raises(ValueError, match="longest: got"):
        model.greedy(source, mask, 0)


def test_it_is_a_module_with_a_score_that_may_learn():
    score = Additive(8, 8, 6)
    model = Seq2Seq(11, 7, 8, score)
    assert isinstance(model, nn.Module) and set(score.parameters()) <= set(model.parameters())


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("score", [None, scaled_dot])
def test_sources_of_one_length_skip_packing_and_change_nothing(cell, score):
    torch.manual_seed(0)
    model = Seq2Seq(11, 7, 8, score, cell=cell, embedding=6)
    source, _, target = draw()
    source = source.clamp(min=4)
    full = torch.ones(4, 1, 5, dtype=torch.bool)
    straight, _ = model(source, full, target)  # all of length 5: not packed
    wider = F.pad(source, (0, 1))
    packed, _ = model(wider, F.pad(full, (0, 1)), target)  # the same, with one place of padding: packed
    assert torch.allclose(straight, packed, atol=1e-6)


@pytest.mark.parametrize("score", [None, scaled_dot])
def test_an_lstm_in_one_pass_equals_it_token_by_token(score):
    torch.manual_seed(0)
    model = Seq2Seq(11, 7, 8, score, cell="lstm")
    source, mask, target = draw()
    memory = model.encode(source, mask)
    assert memory.last.shape == (4, 16)  # the hidden state and the cell's
    state, steps = memory.last, []
    for place in range(target.shape[1]):
        logits, _, state = model.decode(memory, target[:, place : place + 1], state, first=place)
        steps.append(logits)
    assert torch.allclose(torch.cat(steps, dim=1), model(source, mask, target)[0], atol=1e-6)


def test_an_attention_of_ones_own_is_told_where_it_stands():
    class Spy(nn.Module):
        def __init__(self):
            super().__init__()
            self.places = []

        def forward(self, query, states, mask, first=0):
            self.places.append((first, query.shape[1]))
            return attend(query, states, states, mask)

    spy = Spy()
    model = Seq2Seq(11, 7, 8, attention=spy)
    source, mask, target = draw()
    model(source, mask, target)
    ids, _ = model.greedy(source, mask, 3)
    assert spy.places == [(0, 4)] + [(place, 1) for place in range(ids.shape[1])]


def test_memory_rows_can_be_repeated_and_reordered(model):
    source, mask, target = draw()
    memory, index = model.encode(source, mask), torch.tensor([2, 0, 0])
    chosen = memory.rows(index)
    logits, _, _ = model.decode(chosen, target[index], chosen.last)
    assert torch.allclose(logits, model(source, mask, target)[0][index], atol=1e-6)


RAGGED, EVEN = [("abca", "xyz"), ("b", ""), ("cc", "xxxxx")], [("abc", "xyz"), ("bac", "")]


def as_batch(pairs):
    return collate(pairs, Vocabulary(["abcdefg"]), Vocabulary(["xyz"]))


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("pairs", [RAGGED, EVEN])
def test_lengths_that_are_known_change_nothing(cell, pairs):
    torch.manual_seed(0)
    model, batch = Seq2Seq(11, 7, 8, scaled_dot, cell=cell), as_batch(pairs)
    given = (batch.source, batch.source_mask, batch.target_in)
    for one, two in zip(model(*given), model(*given, batch.source_lengths), strict=True):
        assert torch.equal(one, two)
    for one, two in zip(model.encode(*given[:2]), model.encode(*given[:2], batch.source_lengths), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Seq2Seq(11, 7, 8),
        lambda: Seq2Seq(11, 7, 8, Additive(8, 8, 6), cell="lstm", dropout=0.1, tied=True),
        lambda: Seq2Seq(11, 7, 8, attention=LocalP(scaled_dot, 8, 2)),
        lambda: Bahdanau(11, 7, 8),
    ],
)
@pytest.mark.parametrize("pairs", [RAGGED, EVEN])
def test_a_training_step_asks_the_device_for_no_number(make, pairs):
    """A tensor on "meta" has a shape and no numbers: whoever asks for one, as `item` and `nonzero` do, gets an error.

    On a GPU each such question waits until all work before it is done.
    """
    model, batch = make().to("meta"), as_batch(pairs).to("meta")
    total, tokens = token_loss(model, batch, 0.1)
    (total / tokens).backward()
    assert tokens == len(as_batch(pairs).real) and all(one.grad is not None for one in model.parameters())
    with pytest.raises(NotImplementedError):  # without the lengths it must ask: this test can fail
        model(batch.source, batch.source_mask, batch.target_in)


@pytest.mark.parametrize(
    "lengths", [[3, 1], [5, 3, 1, 6], [5, 3, 0, 4], torch.tensor([5, 3, 1, 4], device="meta")], ids=str
)
def test_lengths_that_do_not_fit_are_named(model, lengths):
    with pytest.raises(ValueError, match="^source_lengths: got .*, expected"):
        model(*draw(), torch.as_tensor(lengths))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_token_loss_equals_cross_entropy_that_ignores_padding(model, smoothing):
    batch = as_batch(RAGGED)
    total, tokens = token_loss(model, batch, smoothing)
    logits, _ = model(batch.source, batch.source_mask, batch.target_in)
    expected = F.cross_entropy(
        logits.transpose(1, 2), batch.target_out, ignore_index=PAD, reduction="sum", label_smoothing=smoothing
    )
    assert tokens == 3 + 0 + 5 + 3 and torch.allclose(total, expected, atol=1e-5)


def test_dropout_acts_in_training_only():
    torch.manual_seed(0)
    model = Seq2Seq(11, 7, 8, scaled_dot, dropout=0.5)
    given = draw()
    assert not torch.equal(model(*given)[0], model(*given)[0])
    model.eval()
    assert torch.equal(model(*given)[0], model(*given)[0])


def test_bad_settings_are_named():
    for wrong, name in (
        ({"cell": "rnn"}, "cell"),
        ({"dropout": 1.0}, "dropout"),
        ({"embedding": -1}, "embedding"),
        ({"score": dot, "attention": Global(dot)}, "attention"),
    ):
        with pytest.raises(ValueError, match=f"{name}: got"):
            Seq2Seq(11, 7, 8, **wrong)


def test_a_tied_projection_scores_a_token_by_its_own_vector():
    torch.manual_seed(0)
    model = Seq2Seq(11, 7, 8, dot, embedding=6, tied=True)
    source, mask, target = draw()
    features, _ = model.features(source, mask, target)
    low, scores = model.project
    assert scores.weight is model.embed.weight
    expected = (low(features)[..., None, :] * model.embed.weight).sum(-1) + scores.bias
    assert torch.allclose(model(source, mask, target)[0], expected, atol=1e-6)
    free, bound = (Seq2Seq(11, 9000, 8, dot, embedding=6, tied=tied) for tied in (False, True))
    assert sum(w.numel() for w in bound.parameters()) < 0.6 * sum(w.numel() for w in free.parameters())
