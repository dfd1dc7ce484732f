"""The language model: what it may see, how it draws, the one that comes with the course, and the counts beside it."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.data.text import END, PAD, START, Vocabulary, collate
from course_utils.models.language import (
    WEIGHTS,
    LanguageModel,
    generate,
    load_language_model,
    next_distribution,
    next_token_loss,
    save_language_model,
)
from course_utils.models.places import POSITIONS
from course_utils.train import reports
from course_utils.train.perplexity import Counts, losses

TOKENS = torch.randint(4, 12, (2, 7), generator=torch.Generator().manual_seed(0))


def made(**options):
    torch.manual_seed(0)
    return LanguageModel(12, 16, 4, 24, 2, **options).double().eval()


# ---- the model ----


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("positions", POSITIONS)
def test_no_output_depends_on_a_later_token(positions, norm):
    model = made(positions=positions, norm=norm)
    logits = model(TOKENS)
    for place in range(7):
        changed = TOKENS.clone()
        changed[:, place] = 4 + (changed[:, place] - 3) % 8
        moved = (model(changed) - logits).abs().amax((0, 2))
        assert (moved[:place] < 1e-12).all() and (moved[place:] > 1e-9).all()


def test_the_loss_is_cross_entropy_over_real_tokens():
    letters = Vocabulary(["abc"])
    model = LanguageModel(len(letters), 16, 4, 24, 1).eval()
    batch = collate([("ab", "ab"), ("c", "c")], letters, letters)
    total, tokens = next_token_loss(model, batch)
    expected = 0.0
    for text in ("ab", "c"):
        numbers = [START, *letters.encode(text), END]
        logits = model(torch.tensor([numbers[:-1]]))[0]
        expected += F.cross_entropy(logits, torch.tensor(numbers[1:]), reduction="sum")
    assert tokens == 5 and abs(total - expected) < 1e-5
    assert (losses(model, [letters.encode("ab"), letters.encode("c")], torch.device("cpu")).sum() - total).abs() < 1e-5


def test_look_gives_weights_that_sum_to_one_and_never_look_ahead():
    maps = made().look(TOKENS)
    assert maps.shape == (2, 2, 4, 7, 7) and (maps.sum(-1) - 1).abs().max() < 1e-12
    assert not maps.triu(1).any()


def test_the_weights_that_are_shipped_read_english(tmp_path):
    model, characters = load_language_model()
    assert WEIGHTS.stat().st_size < 2e6 and not model.training
    assert all(weight.dtype == torch.float32 for weight in model.parameters())
    report = reports.stored("lm-transformer-0")
    assert sum(map(torch.numel, model.parameters())) == report["parameters"]
    questions = ["i don't know what to do.", "where is the train station?", "tom was late for school again."]
    told = losses(model, [characters.encode(text) for text in questions], torch.device("cpu"))
    shuffled = losses(model, [characters.encode(text[::-1]) for text in questions], torch.device("cpu"))
    mean = told.sum() / sum(len(text) + 1 for text in questions)
    assert 1.5 < mean.exp() < report["metrics"]["test"]["counts of triples"]["perplexity"]
    assert (told < shuffled / 2).all()
    options = {"vocabulary": 12, "size": 16, "heads": 4, "hidden": 24, "layers": 2}
    save_language_model(made().float(), options, Vocabulary(["abc"]), tmp_path / "some.pt")
    assert torch.load(tmp_path / "some.pt", weights_only=True)["options"] == options


# ---- drawing the next token ----


def kept_by_hand(logits, temperature, top_k, top_p):
    """The distribution of one row, by plain Python."""
    powers = [math.exp((value - max(logits)) / temperature) for value in logits]
    likely = [power / sum(powers) for power in powers]
    order = sorted(range(len(likely)), key=lambda token: -likely[token])
    if top_k is not None:
        order = order[:top_k]
    whole = sum(likely[token] for token in order)
    chosen, reached = [], 0.0
    for token in order:
        chosen.append(token)
        reached += likely[token] / whole
        if top_p is not None and reached >= top_p:
            break
    whole = sum(likely[token] for token in chosen)
    return [likely[token] / whole if token in chosen else 0.0 for token in range(len(likely))]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-40, 40), min_size=2, max_size=9, unique=True),
    st.sampled_from([0.3, 1.0, 2.5]),
    st.one_of(st.none(), st.integers(1, 10)),
    st.one_of(st.none(), st.sampled_from([0.1, 0.501, 0.9, 1.0])),
)
def test_the_distribution_is_what_the_words_say(values, temperature, top_k, top_p):
    logits = [value / 10 for value in values]
    found = next_distribution(torch.tensor([logits], dtype=torch.float64), temperature, top_k, top_p)[0]
    expected = kept_by_hand(logits, temperature, top_k, top_p)
    assert found.tolist() == pytest.approx(expected, abs=1e-9)


def test_temperature_zero_takes_the_likeliest():
    assert next_distribution(torch.tensor([1.0, 3.0, 2.0]), 0).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    "knobs, said",
    [
        ({"temperature": -1.0}, "temperature: got -1.0, expected a number of at least 0"),
        ({"top_k": 0}, "top_k: got 0"),
        ({"top_p": 0.0}, "top_p: got 0.0, expected a share above 0, up to 1"),
        ({"top_p": 1.2}, "top_p: got 1.2"),
    ],
)
def test_knobs_out_of_range_are_refused(knobs, said):
    with pytest.raises(ValueError, match=said):
        next_distribution(torch.zeros(3), **knobs)


# ---- writing on ----


class Fixed(torch.nn.Module):
    """A model whose distribution depends on the last token alone."""

    def __init__(self, table):
        super().__init__()
        self.table = torch.tensor(table).log()

    def forward(self, tokens):
        return self.table[tokens]


def test_what_is_drawn_follows_the_distribution():
    table = [[0.2] * 5] * 4 + [[0, 0, 0.1, 0.6, 0.3]]
    drawn = generate(Fixed(table), torch.full((4000, 1), 4), 1, generator=torch.Generator().manual_seed(0))[:, 1]
    shares = torch.bincount(drawn, minlength=5) / 4000
    assert (shares - torch.tensor([0, 0, 0.1, 0.6, 0.3])).abs().max() < 0.03


def test_greedy_writing_is_argmax_again_and_again_and_a_seed_gives_the_same_text():
    model = made()
    written = TOKENS[:, :2]
    for _ in range(5):
        written = torch.cat([written, model(written)[:, -1:].argmax(-1)], 1)
    assert torch.equal(generate(model, TOKENS[:, :2], 5, temperature=0)[:, :7], written) or END in written
    one, two = (generate(model, TOKENS, 6, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, two) and torch.equal(one[:, :7], TOKENS)


def test_after_its_end_a_row_is_padded_and_writing_stops_when_all_have_ended():
    table = [[0, 0, 0, 0, 1.0], [0, 0, 0, 0, 1.0], [0, 0, 0, 0, 1.0], [0, 0, 1.0, 0, 0], [0, 0, 0, 1.0, 0]]
    written = generate(Fixed(table), torch.tensor([[3], [4]]), 9)
    assert written.tolist() == [[3, END, PAD], [4, 3, END]]


def test_an_empty_prefix_is_refused():
    with pytest.raises(ValueError, match=r"prefix: got shape \(1, 0\)"):
        generate(made(), torch.zeros(1, 0, dtype=torch.long), 3)
    with pytest.raises(ValueError, match="tokens: got shape"):
        made()(TOKENS[0])


# ---- counts ----


def test_counts_are_shares_that_sum_to_one():
    draw = torch.Generator().manual_seed(0)
    texts = [torch.randint(4, 9, (6,), generator=draw).tolist() for _ in range(30)]
    for before in (0, 1, 2):
        counts = Counts(texts[:25], texts[25:], 9, before)
        for context in [(START,) * before, (4,) * before, (8, 5)[:before]]:
            assert sum(counts.probability(context, token) for token in range(9)) == pytest.approx(1)
        assert counts.loss([4, 5]) > 0


def test_pairs_are_counted_as_by_hand():
    a, b = 4, 5
    counts = Counts([[a, b], [a, a]], [[a]], 6, 1)
    single = (1 - counts.shorter.share) * torch.tensor([0, 0, 2, 0, 3, 1]) / 6 + counts.shorter.share / 6
    after_a = (1 - counts.share) * torch.tensor([0, 0, 1, 0, 1, 1]) / 3 + counts.share * single
    assert [counts.probability((a,), token) for token in range(6)] == pytest.approx(after_a.tolist())
    assert counts.loss([a]) == pytest.approx(-math.log(counts.probability((START,), a)) - math.log(after_a[END]))
