"""Copying: the mixture is a distribution, the loss is its logarithm, every word of a source comes back."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.attention import scaled_dot
from course_utils.attention.masks import padding_mask
from course_utils.data.buckets import Buckets
from course_utils.data.text import END, PAD, UNKNOWN, Pair, Vocabulary, collate, pad
from course_utils.models.copying import AsNumbers, CopySeq2Seq, Extended, copy_distribution, copy_loss
from course_utils.models.decoding import beam_search, log_probability
from course_utils.train.fit import fit

SOURCES = Vocabulary([["un", "chat", "voit", "radio", "."]])
TARGETS = Vocabulary([["a", "cat", "sees", "radio", "."]])
PAIRS = [
    Pair(("ngozi", "voit", "yuki", "."), ("ngozi", "sees", "yuki", ".")),
    Pair(("un", "chat", "voit", "ngozi", "."), ("a", "cat", "sees", "ngozi", ".")),
    Pair(("ngozi", "voit", "ngozi", "."), ("ngozi", "sees", "itself", ".")),
]


def extended():
    return Extended(SOURCES, TARGETS)


def small(seed=0):
    torch.manual_seed(seed)
    return CopySeq2Seq(extended(), 8, scaled_dot)


def batch_of(pairs):
    return next(Buckets([extended().encode(pair) for pair in pairs], AsNumbers, AsNumbers, 1000).epoch(0))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_the_mixture_is_a_plain_sum_and_a_distribution(seed):
    generator = torch.Generator().manual_seed(seed)
    words = torch.softmax(torch.randn(2, 3, 5, generator=generator), -1)
    weights = torch.softmax(torch.randn(2, 3, 4, generator=generator), -1)
    gate = torch.rand(2, 3, 1, generator=generator)
    numbers = torch.randint(0, 8, (2, 4), generator=generator)
    mixed = copy_distribution(words, weights, gate, numbers, 8)
    expected = torch.zeros(2, 3, 8)
    for b in range(2):
        for t in range(3):
            for w in range(5):
                expected[b, t, w] += gate[b, t, 0] * words[b, t, w]
            for s in range(4):
                expected[b, t, numbers[b, s]] += (1 - gate[b, t, 0]) * weights[b, t, s]
    assert torch.allclose(mixed, expected, atol=1e-6)
    assert torch.allclose(mixed.sum(-1), torch.ones(2, 3))


def test_gradcheck():
    generator = torch.Generator().manual_seed(0)
    words, weights, gate = (
        torch.rand(1, 2, n, generator=generator, dtype=torch.float64, requires_grad=True) for n in (4, 3, 1)
    )
    numbers = torch.tensor([[5, 1, 5]])
    assert torch.autograd.gradcheck(lambda *given: copy_distribution(*given, numbers, 6), (words, weights, gate))


def test_every_word_of_a_source_has_a_number_and_comes_back():
    vocabularies, unknown = extended(), len(SOURCES)
    source, target = PAIRS[0]
    assert vocabularies.encode_source(source) == [
        unknown,
        SOURCES.encode(["voit"])[0],
        unknown + 1,
        SOURCES.encode(["."])[0],
    ]
    numbers = vocabularies.encode_target(target, source)
    assert numbers[0] == len(TARGETS) + unknown and numbers[2] == len(TARGETS) + unknown + 1
    assert vocabularies.tokens(torch.tensor([*numbers, END, PAD, 5]), source) == list(target)
    assert vocabularies.encode_target(["itself"], source) == [UNKNOWN]  # neither here nor there
    assert vocabularies.encode_target(["chat"], ["un", "chat"]) == [len(TARGETS) + SOURCES.encode(["chat"])[0]]
    assert vocabularies.encode_target(["radio"], ["radio"]) == TARGETS.encode(["radio"])  # the same word in both


def test_the_encoder_tells_under_which_number_a_word_is_written():
    model, batch = small(), batch_of(PAIRS[:1])
    memory = model.encode(batch.source, batch.source_mask)
    vocabularies, source = extended(), PAIRS[0].source
    for word, number in zip(source, memory.numbers[0].tolist(), strict=True):
        if word in ("ngozi", "yuki", "."):
            assert number == vocabularies.encode_target([word], source)[0]
    assert memory.rows(torch.tensor([0, 0])).numbers.shape == (2, 4)


def test_what_it_gives_are_log_probabilities_and_the_loss_is_theirs():
    model, batch = small(), batch_of(PAIRS)
    logs, weights = model(batch.source, batch.source_mask, batch.target_in)
    assert logs.exp().sum(-1).sub(1).abs().max() < 1e-4 and weights.shape[:2] == batch.target_in.shape
    total, number = copy_loss(model, batch)
    real = batch.target_out != PAD
    expected = -logs.gather(-1, batch.target_out[..., None]).squeeze(-1)[real].sum()
    assert number == real.sum() and total.item() == pytest.approx(expected.item(), rel=1e-4)


def test_the_loss_asks_the_device_for_no_number():
    """On "meta", where tensors have no numbers, a question would be an error; see test_seq2seq."""
    model = small().to("meta")
    batch = collate([extended().encode(pair) for pair in PAIRS], AsNumbers, AsNumbers)
    total, number = copy_loss(model, batch.to("meta"))
    total.backward()
    assert number == sum(len(pair.target) + 1 for pair in PAIRS)


def test_unknown_words_are_told_apart_by_the_copy_alone():
    model = small().eval()
    batch = batch_of(PAIRS[:1])
    other = batch.source.clone()
    other[batch.source == len(SOURCES)] = len(SOURCES) + 1  # another unknown word: the encoder cannot tell
    one, two = (model.encode(source, batch.source_mask) for source in (batch.source, other))
    assert torch.equal(one.states, two.states) and not torch.equal(one.numbers, two.numbers)


def test_it_learns_to_copy_words_that_no_vocabulary_has():
    model, batches = small(1), [batch_of([pair]) for pair in PAIRS]

    def loss(step):
        total, number = copy_loss(model, batches[step % 3])
        return total / number

    fit(model, loss, 150, learning_rate=2e-2)
    new = [("amara", "voit", "kofi", "."), ("un", "chat", "voit", "zadie", ".")]
    vocabularies = extended()
    rows, lengths = pad([vocabularies.encode_source(one) for one in new])
    ids, _ = model.greedy(rows, padding_mask(lengths), 8)
    assert vocabularies.tokens(ids[0], new[0]) == ["amara", "sees", "kofi", "."]
    assert vocabularies.tokens(ids[1], new[1]) == ["a", "cat", "sees", "zadie", "."]
    found, scores = beam_search(model, rows, padding_mask(lengths), 8, beams=1, length_penalty=0.0)
    assert torch.equal(found, ids)
    assert torch.allclose(log_probability(model, rows, padding_mask(lengths), found), scores, atol=1e-3)
