"""A photograph that denoises itself: against a plain loop, PyTorch's attention, the best blur, and scikit-image."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from scipy.ndimage import gaussian_filter

from course_utils.data.photograph import crop, decibels, noisy, photograph
from course_utils.models.denoising import likeness, non_local_means, surroundings

DEVIATION = 25 / 255


def by_a_loop(picture, deviation, reach=2):
    """Non-local means as one would write it without a matrix."""
    rows, columns = picture.shape
    mirror = lambda place, count: (  # noqa: E731
        -place if place < 0 else 2 * count - 2 - place if place >= count else place
    )
    steps = range(-reach, reach + 1)
    temperature = 2 * deviation**2 * math.sqrt(2 * len(steps) ** 2)
    patch = {
        (r, c): [picture[mirror(r + a, rows), mirror(c + b, columns)].item() for a in steps for b in steps]
        for r in range(rows) for c in range(columns)
    }  # fmt: skip
    found = torch.zeros(rows, columns)
    for me, mine in patch.items():
        scores = {you: -sum((a - b) ** 2 for a, b in zip(mine, yours, strict=True)) / temperature
                  for you, yours in patch.items() if you != me}  # fmt: skip
        most = max(scores.values())
        powers = {you: math.exp(score - most) for you, score in scores.items()}
        found[me] = sum(power * picture[you].item() for you, power in powers.items()) / sum(powers.values())
    return found


def test_it_is_what_a_plain_loop_gives():
    picture = torch.rand(6, 7, generator=torch.Generator().manual_seed(0))
    for reach in (1, 2):
        denoised, weights = non_local_means(picture, 0.2, reach)
        torch.testing.assert_close(denoised, by_a_loop(picture, 0.2, reach), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(weights.sum(-1), torch.ones(42))
        assert not weights.diagonal().any()


def test_it_is_pytorch_s_attention_when_distances_are_written_as_dot_products():
    """−|q − k|² = 2 q·k − |k|² − |q|², and what depends on the query alone changes no weight."""
    picture = torch.rand(8, 8, generator=torch.Generator().manual_seed(1)).double()
    around = surroundings(picture, 1)
    temperature = 2 * 0.1**2 * math.sqrt(18)
    bias = -(around**2).sum(-1) / temperature + torch.zeros(64, 1).fill_diagonal_(0)
    bias = bias.expand(64, 64).clone().fill_diagonal_(-math.inf)
    expected = torch.nn.functional.scaled_dot_product_attention(
        around, around, picture.reshape(-1, 1), attn_mask=bias, scale=2 / temperature
    )
    torch.testing.assert_close(non_local_means(picture, 0.1, 1)[0].flatten(), expected.flatten())


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(0.02, 0.5))
def test_it_stays_between_the_darkest_and_the_brightest_and_moves_with_the_light(seed, deviation):
    picture = torch.rand(5, 6, generator=torch.Generator().manual_seed(seed)).double()
    denoised, _ = non_local_means(picture, deviation)
    assert picture.min() - 1e-9 <= denoised.min() and denoised.max() <= picture.max() + 1e-9
    torch.testing.assert_close(non_local_means(picture + 0.3, deviation)[0], denoised + 0.3)
    torch.testing.assert_close(non_local_means(picture.T, deviation)[0], denoised.T)


def test_on_the_crop_of_the_lesson_it_gains_more_than_six_decibels_and_more_than_any_blur():
    clean = crop(photograph(), 26, 196)
    spoilt = noisy(clean, DEVIATION)
    before = decibels(spoilt, clean)
    gain = decibels(non_local_means(spoilt, DEVIATION)[0], clean) - before
    blur = max(
        decibels(torch.from_numpy(gaussian_filter(spoilt.numpy(), 0.1 * w)), clean) - before for w in range(2, 80)
    )
    assert abs(before - 20.2) < 0.2 and gain > 6 and gain > blur + 2


@pytest.mark.thorough
def test_it_gains_about_what_scikit_image_gains():
    """Its patches are weighted and far ones cut off, so pixels differ: decibels are compared, and on the whole crop."""
    restoration = pytest.importorskip("skimage.restoration")
    clean = crop(photograph(), 26, 196)
    spoilt = noisy(clean, DEVIATION)
    theirs = restoration.denoise_nl_means(
        spoilt.numpy(), patch_size=5, patch_distance=64, h=0.8 * DEVIATION, sigma=DEVIATION, fast_mode=False
    )
    ours = decibels(non_local_means(spoilt, DEVIATION)[0], clean)
    assert abs(decibels(torch.from_numpy(theirs).float(), clean) - ours) < 1.5


def test_surroundings_hold_the_pixel_in_their_middle_and_mirror_at_the_edge():
    picture = torch.arange(20.0).reshape(4, 5)
    around = surroundings(picture, 1)
    assert around.shape == (20, 9) and around[:, 4].equal(picture.flatten())
    assert around[0].tolist() == [6, 5, 6, 1, 0, 1, 6, 5, 6]


def test_likeness_is_minus_the_squared_distance():
    one, two = torch.rand(3, 4), torch.rand(5, 4)
    expected = -((one[:, None] - two) ** 2).sum(-1) / 0.5
    torch.testing.assert_close(likeness(one, two, 0.5), expected, rtol=1e-3, atol=1e-4)


def test_ten_decibels_are_a_tenth_of_the_squared_error():
    clean = torch.zeros(4, 4)
    assert decibels(clean + 0.1, clean) == pytest.approx(20, abs=1e-4)
    assert decibels(clean + 0.1 / math.sqrt(10), clean) == pytest.approx(30, abs=1e-4)


def test_noise_is_the_same_each_time_and_of_its_deviation():
    clean = torch.zeros(200, 200)
    assert noisy(clean, 0.1, 3).equal(noisy(clean, 0.1, 3)) and not noisy(clean, 0.1, 3).equal(noisy(clean, 0.1, 4))
    assert abs(noisy(clean, 0.1).std() - 0.1) < 0.002 and not clean.any()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: photograph("cat.jpg"), "name: got 'cat.jpg'"),
        (lambda: crop(torch.zeros(64, 70), 0, 7), "top, left: got 0, 7"),
        (lambda: crop(torch.zeros(64, 70), 0, 0, 0), "size: got 0"),
        (lambda: decibels(torch.zeros(2, 3), torch.zeros(3, 2)), r"picture: got shape \(2, 3\)"),
        (lambda: non_local_means(torch.zeros(6, 6), 0.0), "deviation: got 0.0"),
    ],
)
def test_what_cannot_be_is_named(wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong()
