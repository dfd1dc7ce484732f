"""The text classifier: padding changes nothing, every reader and pooling learns, the first loss is that of a guess."""

import math

import pytest
import torch
import torch.nn.functional as F

from course_utils.models.classifier import POOLINGS, READERS, Classifier
from course_utils.train.epochs import batches_of_like_length, fit_epochs, predict

PAIRS = [(reader, pooling) for reader in READERS for pooling in POOLINGS if pooling != "last" or reader == "gru"]
SIZES = [12, 9]


def texts(count=40, seed=0):
    """Texts of which the class is whether word 5 stands in them: one feature is noise."""
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.stack([torch.randint(2, size, (count, 7), generator=generator) for size in SIZES], -1)
    numbers[..., 0][numbers[..., 0] == 5] = 6
    classes = torch.arange(count) % 2
    numbers[classes == 1, 1, 0] = 5
    lengths = torch.randint(2, 8, (count,), generator=generator)
    return numbers.masked_fill(torch.arange(7)[:, None] >= lengths[:, None, None], 0), classes


@pytest.mark.parametrize(("reader", "pooling"), PAIRS)
def test_padding_changes_nothing(reader, pooling):
    model = Classifier(SIZES, 3, reader, pooling, size=8).eval()
    numbers, _ = texts(6)
    logits, weights = model(numbers)
    longer, more = model(F.pad(numbers, (0, 0, 0, 4)))
    torch.testing.assert_close(longer, logits)
    for row, one in zip(numbers, logits, strict=True):  # each alone, without any padding
        torch.testing.assert_close(model(row[row[:, 0] != 0][None])[0][0], one, rtol=1e-4, atol=1e-5)
    if pooling == "attention":
        torch.testing.assert_close(weights.sum(-1), torch.ones(6))
        assert (more[:, 7:] == 0).all() and (weights[numbers[..., 0] == 0] == 0).all()
    else:
        assert weights is None


@pytest.mark.parametrize(("reader", "pooling"), PAIRS)
def test_every_pair_learns_and_begins_near_a_guess(reader, pooling):
    torch.manual_seed(0)
    numbers, classes = texts(60)
    model = Classifier(SIZES, 2, reader, pooling, size=16, dropout=0.1)
    losses = fit_epochs(model, numbers, classes, epochs=30, learning_rate=0.02, batch=20)
    assert len(losses) == 31 and not model.training
    assert abs(losses[0] - math.log(2)) < 0.25
    assert (predict(model, numbers) == classes).float().mean() > 0.95


def test_the_same_seed_gives_the_same_model_whatever_ran_before():
    numbers, classes = texts()

    def trained():
        torch.manual_seed(3)
        model = Classifier(SIZES, 2, size=8)
        return fit_epochs(model, numbers, classes, epochs=2, seed=3)

    first = trained()
    torch.rand(5)
    assert trained() == first


def test_every_row_comes_once_an_epoch_with_rows_of_like_length():
    lengths = torch.randint(1, 30, (500,), generator=torch.Generator().manual_seed(0))
    groups = list(batches_of_like_length(lengths, 16, torch.Generator().manual_seed(1)))
    assert sorted(torch.cat(groups).tolist()) == list(range(500)) and max(map(len, groups)) == 16
    spread = [int(lengths[group].max() - lengths[group].min()) for group in groups]
    assert sum(spread) / len(spread) < 4


def test_predict_leaves_the_mode_and_the_random_state_alone():
    numbers, _ = texts()
    model = Classifier(SIZES, 2, size=8).train()
    state = torch.get_rng_state()
    assert predict(model, numbers, batch=7).equal(predict(model, numbers, batch=100))
    assert model.training and torch.get_rng_state().equal(state)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: Classifier(SIZES, 2, reader="lstm"), "reader: got 'lstm'"),
        (lambda: Classifier(SIZES, 2, pooling="sum"), "pooling: got 'sum'"),
        (lambda: Classifier(SIZES, 2, reader="plain", pooling="last"), "pooling: got 'last' with the reader 'plain'"),
        (lambda: Classifier(SIZES, 0), "classes: got 0"),
        (lambda: Classifier(SIZES, 2, dropout=1.0), "dropout: got 1.0"),
        (lambda: fit_epochs(Classifier(SIZES, 2), texts()[0], torch.zeros(3)), "classes: got 3"),
        (lambda: fit_epochs(Classifier(SIZES, 2), *texts(), epochs=0), "epochs: got 0"),
    ],
)
def test_what_cannot_be_is_named(wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong()
