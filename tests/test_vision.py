"""Pictures as tokens: patches and back, who notices a shuffle, shifts, splits, and models that learn."""

import math

import pytest
import torch
import torch.nn.functional as F

from course_utils.data.handwriting import SPLITS, Digits, fewer, load_handwriting, shifted, shuffled
from course_utils.models.vision import SmallConvolution, VisionTransformer, patches, rollout
from course_utils.train.pictures import answers, fit_pictures, percent_right


def drawn(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("shape", "size"), [((3, 8, 8), 2), ((2, 6, 9), 3), ((4, 4), 4), ((5, 2, 4, 6), 1)])
def test_patches_are_those_of_unfold(shape, size):
    picture = drawn(*shape)
    tokens = patches(picture, size)
    flat = picture.reshape(-1, 1, *shape[-2:])
    expected = F.unfold(flat, size, stride=size).transpose(1, 2)
    torch.testing.assert_close(tokens.reshape(expected.shape), expected)


def test_a_plain_reshape_has_the_same_shape_and_makes_strips():
    picture = torch.arange(64.0).reshape(1, 8, 8)
    strips = picture.reshape(1, 16, 4)
    assert strips.shape == patches(picture, 2).shape
    assert strips[0, 0].tolist() == [0, 1, 2, 3] and patches(picture, 2)[0, 0].tolist() == [0, 1, 8, 9]


def test_the_five_tests_share_nothing_and_all_digits_stand_in_one_part():
    parts = [load_handwriting(split) for split in range(SPLITS)]
    key = lambda digits: [tuple(row.flatten().tolist()) for row in digits.pictures]  # noqa: E731
    dev, tests = key(parts[0].dev), [key(part.test) for part in parts]
    assert [len(part.train.classes) for part in parts] == [1200] * 5 and len(dev) == 297
    assert sum(map(len, tests)) + len(dev) == 1797 and all(len(test) == 300 for test in tests)
    every = [row for test in tests for row in test] + dev
    assert len(set(every)) == 1797
    for part in parts:
        assert key(part.dev) == dev and not set(key(part.train)) & set(key(part.test))
        assert part.test.classes.bincount().min() >= 28 and part.test.pictures.max() == 1


def test_shifts_move_by_a_pixel_and_never_wrap_round():
    pictures = torch.zeros(200, 5, 5)
    pictures[:, 0, 2] = 1.0
    moved = shifted(pictures, torch.Generator().manual_seed(0))
    assert moved[:, 2:].sum() == 0 and {0.0, 1.0} == set(moved.sum((1, 2)).tolist())
    places = {tuple(row.nonzero()[0].tolist()) for row in moved if row.any()}
    assert places == {(r, c) for r in (0, 1) for c in (1, 2, 3)}


def test_a_shuffle_is_the_same_for_all_and_keeps_each_square():
    pictures = drawn(3, 8, 8)
    mixed = shuffled(pictures, 2, seed=1)
    before, after = patches(pictures, 2), patches(mixed, 2)
    order = [next(i for i in range(16) if before[0, i].equal(square)) for square in after[0]]
    assert sorted(order) == list(range(16)) and order != list(range(16)) and after.equal(before[:, order])


def test_fewer_draws_as_many_of_each():
    digits = Digits(drawn(60, 2, 2), torch.arange(60) % 3)
    few = fewer(digits, 4, seed=1)
    assert few.classes.bincount().tolist() == [4, 4, 4] and not few.classes.equal(fewer(digits, 5).classes)
    rows = [next(i for i in range(60) if digits.pictures[i].equal(p)) for p in few.pictures]
    assert digits.classes[rows].equal(few.classes)


def test_a_transformer_without_places_does_not_see_a_shuffle_and_one_with_places_does():
    pictures, mixed = drawn(4, 8, 8), shuffled(drawn(4, 8, 8), 2)
    for places, same in ((False, True), (True, False)):
        torch.manual_seed(0)
        model = VisionTransformer(places=places).eval()
        if places:
            torch.nn.init.normal_(model.place)
        assert torch.allclose(model(pictures), model(mixed), atol=1e-5) == same


def test_a_shuffled_transformer_is_the_same_one_with_its_places_shuffled():
    """So a shuffle that all pictures share costs it nothing: it has no idea which patches are neighbours."""
    torch.manual_seed(0)
    model = VisionTransformer().eval()
    torch.nn.init.normal_(model.place)
    pictures, mixed = drawn(4, 8, 8), shuffled(drawn(4, 8, 8), 2)
    before, after = patches(pictures, 2), patches(mixed, 2)
    order = torch.tensor([next(i for i in range(16) if before[0, i].equal(square)) for square in after[0]])
    plain = model(pictures)
    with torch.no_grad():
        model.place[:, 1:] = model.place[:, 1:][:, order].clone()
    torch.testing.assert_close(model(mixed), plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("make", [VisionTransformer, lambda: VisionTransformer(pooling="mean"), SmallConvolution])
def test_models_begin_near_a_guess_and_learn(make):
    digits = fewer(load_handwriting().train, 6)
    torch.manual_seed(0)
    model = make()
    losses = fit_pictures(model, digits, 60, batch=30)
    assert abs(losses[0] - math.log(10)) < 0.6 and not model.training
    assert percent_right(answers(model, digits.pictures), digits.classes) > 80


def test_the_same_seed_gives_the_same_losses_whatever_ran_before():
    digits = fewer(load_handwriting().train, 3)

    def losses():
        torch.manual_seed(1)
        return fit_pictures(VisionTransformer(dropout=0.0), digits, 5, shifts=True, seed=2)

    first = losses()
    torch.rand(7)
    assert losses() == first


def test_maps_have_a_row_for_each_token_and_rollout_keeps_sums():
    maps = []
    VisionTransformer().eval()(drawn(2, 8, 8), maps)
    assert [tuple(weights.shape) for weights in maps] == [(2, 4, 17, 17)] * 2
    through = rollout(maps)
    torch.testing.assert_close(through.sum(-1), torch.ones(2, 17))
    one = torch.full((1, 1, 2, 2), 0.5)
    torch.testing.assert_close(rollout([one]), torch.tensor([[[0.75, 0.25], [0.25, 0.75]]]))
    first, second = drawn(1, 2, 3, 3), drawn(1, 2, 3, 3, seed=1)
    by_hand = (0.5 * second.mean(1) + 0.5 * torch.eye(3)) @ (0.5 * first.mean(1) + 0.5 * torch.eye(3))
    torch.testing.assert_close(rollout([first, second]), by_hand)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: patches(torch.zeros(8, 8), 3), "size: got 3"),
        (lambda: load_handwriting(5), "split: got 5"),
        (lambda: shifted(torch.zeros(1, 3, 3), torch.Generator(), 0), "most: got 0"),
        (lambda: shuffled(torch.zeros(1, 8, 8), 3), "patch: got 3"),
        (lambda: fewer(Digits(torch.zeros(3, 2, 2), torch.tensor([0, 0, 1])), 2), "each: got 2, expected at most 1"),
        (lambda: VisionTransformer(patch=3), "got 3"),
        (lambda: VisionTransformer(pooling="max"), "pooling: got 'max'"),
        (lambda: SmallConvolution(side=7), "got 2"),
        (lambda: rollout([]), "maps: got none"),
        (lambda: fit_pictures(SmallConvolution(), load_handwriting().dev, 0), "steps: got 0"),
    ],
)
def test_what_cannot_be_is_named(wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong()
