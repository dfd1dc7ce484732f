"""The Transformer whole: what it may see, how it starts, that it trains and searches as the recurrent model does."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F

from course_utils.attention.masks import padding_mask
from course_utils.data.text import END, PAD, START, Vocabulary, collate
from course_utils.models.blocks import glorot
from course_utils.models.decoding import beam_search, greedy_search, log_probability
from course_utils.models.places import LONGEST, POSITIONS, Embedded, PlacedAttention
from course_utils.models.seq2seq import Seq2Seq, token_loss
from course_utils.models.transformer import Transformer
from course_utils.train.fit import fit

SIZES = (11, 13, 16, 4, 24, 2)  # source and target vocabulary, size, heads, hidden, layers
LENGTHS = torch.tensor([6, 3, 4])
MASK = padding_mask(LENGTHS)
GENERATOR = torch.Generator().manual_seed(0)
SOURCE = torch.randint(4, 11, (3, 6), generator=GENERATOR).masked_fill(~MASK[:, 0], PAD)
TARGET = torch.randint(4, 13, (3, 5), generator=GENERATOR)


def made(seed=0, **options):
    torch.manual_seed(seed)
    return Transformer(*SIZES, **options).double().eval()


# ---- what it may see ----


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("positions", POSITIONS)
def test_no_output_depends_on_a_later_token_or_on_padding(positions, norm):
    model = made(positions=positions, norm=norm)
    logits, weights = model(SOURCE, MASK, TARGET)
    for place in range(5):
        changed = TARGET.clone()
        changed[:, place] = 4 + (changed[:, place] - 3) % 9
        other, _ = model(SOURCE, MASK, changed)
        assert (other[:, :place] - logits[:, :place]).abs().max() < 1e-12 if place else True
        assert (other[:, place:] - logits[:, place:]).abs().amax((0, 2)).min() > 1e-9, "every later output must notice"
    padded, _ = model(SOURCE.masked_fill(~MASK[:, 0], 7), MASK, TARGET)
    assert (padded - logits).abs().max() < 1e-12
    assert not weights.masked_select(~MASK).any() and (weights.sum(-1) - 1).abs().max() < 1e-12


@pytest.mark.parametrize("positions", POSITIONS)
def test_a_row_is_the_same_alone_and_in_a_padded_batch(positions):
    model = made(positions=positions)
    whole, _ = model(SOURCE, MASK, TARGET)
    for row, length in enumerate(LENGTHS.tolist()):
        alone, _ = model(SOURCE[row : row + 1, :length], MASK[row : row + 1, :, :length], TARGET[row : row + 1])
        assert (alone[0] - whole[row]).abs().max() < 1e-12


def test_only_with_positions_does_the_order_of_the_source_matter():
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    source, mask = SOURCE[:1], MASK[:1]
    for positions in POSITIONS:
        model = made(positions=positions)
        if positions == "relative":  # begins with zeros: no positions until it has learned some
            torch.nn.init.normal_(model.encoder.blocks[0].attention.relative.bias)
        moved = (model(source[:, order], mask, TARGET[:1])[0] - model(source, mask, TARGET[:1])[0]).abs().max()
        assert (moved < 1e-12) == (positions == "none"), positions


# ---- positions ----


def scores_by_hand(attention, x, positions):
    """Weights of each head by two plain loops over places."""
    heads, size = attention.heads, x.shape[-1] // attention.heads
    query, key = attention.project_query(x[0]), attention.project_key(x[0])
    found = torch.zeros(heads, len(x[0]), len(x[0]), dtype=x.dtype)
    for head, i, j in itertools.product(range(heads), range(len(x[0])), range(len(x[0]))):
        part = slice(head * size, (head + 1) * size)
        q, k = query[i, part], key[j, part]
        if positions == "rotary":  # only the distance may count: turn the key by it, leave the query
            pairs = torch.arange(size // 2)
            angle = (j - i) * 10_000.0 ** (-2 * pairs / size).double()
            k = torch.view_as_real(
                torch.view_as_complex(k.reshape(-1, 2).contiguous()) * torch.exp(1j * angle)
            ).flatten()
        score = q @ k / math.sqrt(size)
        if positions == "alibi":
            score = score - 2.0 ** (-8 * (head + 1) / heads) * abs(i - j)
        if positions == "relative":
            score = score + attention.relative.bias[head, max(-16, min(16, j - i)) + 16]
        found[head, i, j] = score
    return found.softmax(-1)


@pytest.mark.parametrize("positions", ["rotary", "alibi", "relative"])
def test_placed_attention_is_what_its_definition_says(positions):
    torch.manual_seed(0)
    attention = PlacedAttention(16, 4, positions).double()
    if positions == "relative":
        torch.nn.init.normal_(attention.relative.bias)
    x = torch.randn(1, 20, 16, dtype=torch.float64)
    context, weights = attention(x, x, x, need_weights=True)
    expected = scores_by_hand(attention, x, positions)
    assert (weights[0] - expected).abs().max() < 1e-6  # the angles are those of float64, the table of slopes of float32
    fused, _ = attention(x, x, x)
    assert (fused - context).abs().max() < 1e-10


def test_embeddings_are_as_loud_as_the_positions_that_are_added():
    torch.manual_seed(0)
    plain = Embedded(2000, 64, "none")(torch.arange(2000)[None])
    assert 0.95 < plain.std() < 1.05, "times the root of the size"
    placed = Embedded(2000, 64, "sine")
    difference = placed(torch.full((1, 9), 5)) - math.sqrt(64) * placed.table.weight[5]
    assert (difference[0, 3, :2] - torch.tensor([math.sin(3), math.cos(3)])).abs().max() < 1e-5


def test_learned_positions_end_and_say_so():
    model = made(positions="learned")
    with pytest.raises(ValueError, match=f"expected at most longest = {LONGEST}"):
        model.encode(torch.full((1, LONGEST + 1), 5), torch.ones(1, 1, LONGEST + 1, dtype=torch.bool))


def test_ways_that_are_unknown_are_refused():
    for make in (
        lambda: Embedded(9, 8, "clock"),
        lambda: PlacedAttention(8, 2, "clock"),
        lambda: made(positions="clock"),
    ):
        with pytest.raises(ValueError, match="positions: got 'clock', expected one of sine, learned, rotary"):
            make()
    with pytest.raises(ValueError, match="target_in: got shape"):
        made()(SOURCE, MASK, TARGET[:2])


# ---- how it starts, and how it learns ----


def test_the_first_loss_is_near_the_logarithm_of_the_vocabulary():
    torch.manual_seed(0)
    model = Transformer(50, 400, 64, 4, 128, 2)
    source, target = torch.randint(4, 50, (20, 8)), torch.randint(4, 400, (20, 9))
    logits, _ = model(source, torch.ones(20, 1, 8, dtype=torch.bool), target[:, :-1])
    loss = F.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten())
    assert math.log(400) - 0.1 < loss < math.log(400) + 1.5, "a table of unit variance would give more than 20"


def test_glorot_draws_every_matrix_by_its_rule_and_no_table():
    torch.manual_seed(0)
    model = Transformer(30, 30, 64, 4, 256, 1, positions="relative")
    for name, part in model.decoder.named_modules():
        if isinstance(part, torch.nn.Linear):
            wanted = math.sqrt(2 / sum(part.weight.shape))
            assert 0.97 < part.weight.std() / wanted < 1.03 and not part.bias.any(), name
    bias = model.encoder.blocks[0].attention.relative.bias.clone()
    glorot(model.encoder)
    assert torch.equal(bias, model.encoder.blocks[0].attention.relative.bias)


def test_tied_logits_are_dot_products_with_the_target_s_own_vectors():
    tied, free = made(), made(tied=False)
    features, _ = tied.features(SOURCE, MASK, TARGET)
    expected = features @ tied.embed_target.table.weight.T + tied.project.bias
    assert (tied(SOURCE, MASK, TARGET)[0] - expected).abs().max() < 1e-12
    assert sum(map(torch.numel, free.parameters())) - sum(map(torch.numel, tied.parameters())) == 13 * 16


def test_the_mask_may_be_left_out_where_lengths_say_that_nothing_is_padded():
    model, full = made(), torch.ones(3, 1, 6, dtype=torch.bool)
    with_lengths, _ = model.features(SOURCE, full, TARGET, torch.tensor([6, 6, 6]))
    assert (with_lengths - model.features(SOURCE, full, TARGET)[0]).abs().max() < 1e-12
    some, _ = model.features(SOURCE, MASK, TARGET, LENGTHS)
    assert (some - model.features(SOURCE, MASK, TARGET)[0]).abs().max() < 1e-12


def test_it_learns_to_write_backwards():
    torch.manual_seed(0)
    draw = torch.Generator().manual_seed(1)
    texts = sorted({"".join("abcd"[n] for n in torch.randint(0, 4, (5,), generator=draw).tolist()) for _ in range(400)})
    pairs = [(text, text[::-1]) for text in texts]
    letters = Vocabulary(texts)
    model = Transformer(len(letters), len(letters), 32, 2, 32, 1, positions="learned")
    batch = collate(pairs[::2], letters, letters)

    def loss(step):
        total, tokens = token_loss(model, batch)
        return total / tokens

    losses = fit(model, loss, 120, 2e-2)
    assert losses[-1] < 0.1 < 1.5 < losses[0]
    test = collate(pairs[1::2], letters, letters)
    ids, _ = model.eval().greedy(test.source, test.source_mask, 8)
    right = sum(letters.decode(row) == target for row, (_, target) in zip(ids, pairs[1::2], strict=True))
    assert right >= 0.9 * len(test)


# ---- searching ----


@pytest.mark.parametrize("positions", POSITIONS)
def test_decoding_token_by_token_gives_the_logits_of_one_pass(positions):
    model = made(positions=positions)
    whole, _ = model(SOURCE, MASK, TARGET)
    memory = model.encode(SOURCE, MASK)
    state = memory.last
    for place in range(5):
        logits, _, state = model.decode(memory, TARGET[:, place : place + 1], state, first=place)
        assert logits.shape == (3, 1, 13) and (logits[:, 0] - whole[:, place]).abs().max() < 1e-12
    assert state.shape[:2] == (3, 5)  # the keys and values of what was written


def test_greedy_writes_the_likeliest_token_and_reads_it_back():
    model = made(3)
    ids, weights = model.greedy(SOURCE, MASK, 7)
    assert weights.shape == (3, ids.shape[1], 6)
    for row in range(3):
        written = [START]
        for token in ids[row].tolist():
            if token == PAD:
                assert END in written
                continue
            logits, looked = model(SOURCE[row : row + 1], MASK[row : row + 1], torch.tensor([written]))
            assert token == logits[0, -1].argmax()
            assert (looked[0, -1] - weights[row, len(written) - 1]).abs().max() < 1e-12
            written.append(token)


def test_one_beam_is_greedy_and_more_beams_find_no_less_likely_targets():
    model = made(5)
    ids, _ = model.greedy(SOURCE, MASK, 6)
    one, _ = beam_search(model, SOURCE, MASK, 6, beams=1)
    assert torch.equal(ids, one)
    many, score = beam_search(model, SOURCE, MASK, 6, beams=200, length_penalty=0.0)
    assert (log_probability(model, SOURCE, MASK, many) - score).abs().max() < 1e-4
    assert (score >= log_probability(model, SOURCE, MASK, ids) - 1e-6).all()


def test_greedy_search_is_the_recurrent_model_s_own():
    torch.manual_seed(0)
    from course_utils.attention import scaled_dot

    recurrent = Seq2Seq(11, 13, 16, scaled_dot).eval()
    assert torch.equal(greedy_search(recurrent, SOURCE, MASK, 9), recurrent.greedy(SOURCE, MASK, 9)[0])


def test_look_gives_every_layer_and_head():
    model = made(decoder_layers=3)
    maps = model.look(SOURCE, MASK, TARGET)
    assert maps.shape == (3, 3, 4, 5, 6)
    assert (maps[:, -1].mean(1) - model(SOURCE, MASK, TARGET)[1]).abs().max() < 1e-12
