"""Pictures and labels changed at random: ranges, repeats, each damage against a slow version."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from tlcourse.data import perturb as room
from tlcourse.data.perturb import CORRUPTIONS, corrupt, perturb, redraw_labels


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(n=6, side=16, seed=0):
    return torch.rand(n, 1, side, side, generator=generator(seed))


# ── perturbation ────────────────────────────────────────────────────────────────────────────


sides, sizes, numbers = st.sampled_from([16, 32]), st.sampled_from([8, 15, 16]), st.integers(1, 4)


@settings(max_examples=40)
@given(numbers, sides, sizes, st.floats(0, 2), st.floats(0, 1), st.integers(0, 99))
def test_a_perturbed_copy_of_each_picture_in_range(n, side, size, strength, coarse, seed):
    images = pictures(n, side, seed)
    before = images.clone()
    found = perturb(images, generator(seed), strength, size, coarse)
    assert found.shape == (n, 1, size, size) and found.dtype == torch.float32
    assert torch.isfinite(found).all()
    assert ((found >= 0) & (found <= 1)).all()
    assert torch.equal(images, before), "the pictures themselves stay as they are"
    assert torch.equal(found, perturb(images, generator(seed), strength, size, coarse))


def test_each_picture_and_each_call_is_changed_in_its_own_way():
    same = pictures(1).repeat(8, 1, 1, 1)
    one = generator(1)
    first, second = perturb(same, one), perturb(same, one)
    assert torch.pdist(torch.cat([first, second]).flatten(1)).min() > 0.1
    assert not torch.equal(first, perturb(same, generator(2)))
    torch.manual_seed(1)  # without a generator the global one is used
    assert torch.equal(perturb(same), first)


def test_strength_0_only_resamples():
    for side, size in ((32, 16), (16, 16), (12, 9)):
        images = pictures(3, side)
        resampled = F.interpolate(images, size=(size, size), mode="bilinear", align_corners=False)
        found = perturb(images, generator(), strength=0, size=size, coarse=0)
        assert torch.allclose(found, resampled, atol=1e-5), (side, size)


def test_no_picture_is_shifted_further_than_it_says(monkeypatch):
    """The bend has a mean of its own, so it is left out here."""
    monkeypatch.setattr(torch, "randn", lambda *shape, **_: torch.zeros(*shape))
    for strength in (0.5, 1):
        grid = room.warp_grid(4000, 16, strength, generator())
        moved = grid.mean(dim=(1, 2)).abs()
        assert 0.98 * strength * room.SHIFT < moved.max() <= strength * room.SHIFT + 1e-6
    assert 16 / 2 * room.SHIFT == 1, "pixel, of 16"


def test_more_strength_changes_more():
    images = F.pad(torch.ones(64, 1, 8, 8), (4, 4, 4, 4))
    change = [
        (perturb(images, generator(), strength, coarse=0) - images).abs().mean().item()
        for strength in (0, 0.25, 0.5, 1)
    ]
    assert change == sorted(change)
    assert change[0] < 1e-4 and change[1] > 1e-2


def slow_warp(image, grid):
    """Bilinear sampling, one output pixel at a time; outside is black."""
    side = image.shape[-1]
    padded = np.pad(image, 1)
    found = np.zeros(grid.shape[:2])
    for i, j in np.ndindex(found.shape):
        x, y = (np.clip((g + 1) * side / 2 - 0.5, -1, side) for g in grid[i, j])
        left, top = min(math.floor(x), side - 1), min(math.floor(y), side - 1)
        corners = padded[top + 1 : top + 3, left + 1 : left + 3]
        fx, fy = x - left, y - top
        found[i, j] = np.array([1 - fy, fy]) @ corners @ np.array([1 - fx, fx])
    return found


def test_the_warp_samples_where_its_grid_says():
    images = pictures(2, 12)
    grid = room.warp_grid(2, 16, 1.0, generator(3))
    assert grid.shape == (2, 16, 16, 2)
    expected = [slow_warp(images[k, 0].numpy(), grid[k].numpy()) for k in range(2)]
    found = F.grid_sample(images, grid, align_corners=False)[:, 0]
    assert np.allclose(found, expected, atol=1e-5)


def test_the_warp_stays_within_what_its_docstring_names():
    """Rotation, scale and shear are read off the grid's least-squares affine map."""
    grid = room.warp_grid(400, 8, 1.0, generator(5)).double()
    centres = (torch.arange(8).double() * 2 + 1) / 8 - 1
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    basis = torch.stack([x, y, torch.ones_like(x)], -1).reshape(1, 64, 3).expand(400, -1, -1)
    affine = torch.linalg.lstsq(basis, grid.reshape(400, 64, 2)).solution.mT
    angle = torch.atan2(affine[:, 1, 0], affine[:, 0, 0]) * 180 / math.pi
    assert angle.abs().quantile(0.9) < 25 and angle.std() > 8, "±20°, and a little from the bend"
    assert affine[:, :, 2].abs().max() < 0.4 and affine[:, :, 2].std(0).min() > 0.04
    assert torch.equal(room.warp_grid(3, 8, 0, generator(5)), room.warp_grid(3, 8, 0, generator(6)))


def test_the_brightest_neighbour_is_what_max_pooling_finds_borders_too():
    images = pictures(3, 9) - 0.5
    pooled = F.max_pool2d(images, 3, stride=1, padding=1)
    assert torch.equal(room._brightest(images), pooled)


def test_strokes_grow_and_shrink_between_the_thinnest_and_the_thickest():
    images = pictures(300)
    found = room.vary_stroke(images, 1.0, generator())
    thick = torch.from_numpy(ndimage.grey_dilation(images[:, 0].numpy(), (1, 3, 3))[:, None])
    thin = torch.from_numpy(ndimage.grey_erosion(images[:, 0].numpy(), (1, 3, 3))[:, None])
    inner = (..., slice(1, -1), slice(1, -1))  # the border is treated differently by scipy
    assert (found <= thick + 1e-6)[inner].all() and (found >= thin - 1e-6)[inner].all()
    grown = (found >= images - 1e-6).flatten(1).all(1)
    shrunk = (found <= images + 1e-6).flatten(1).all(1)
    assert (grown | shrunk).all()
    assert 0.6 < grown.float().mean() < 0.9, "amounts run from -0.3 to 1: 77 % grow"
    assert torch.equal(room.vary_stroke(images, 0.0, generator()), images)


def test_a_fraction_of_the_pictures_loses_half_its_resolution():
    images = pictures(400)
    halved = images.unfold(2, 2, 2).unfold(3, 2, 2).mean((-1, -2))
    low = F.interpolate(halved, size=(16, 16), mode="bilinear")
    for fraction in (0, 0.5, 1):
        found = room.coarsen(images, fraction, generator())
        is_low = torch.isclose(found, low, atol=1e-6).flatten(1).all(1)
        kept = (found == images).flatten(1).all(1)
        assert (is_low ^ kept).all(), fraction
        assert abs(is_low.float().mean() - fraction) < 0.1


# ── corruption ──────────────────────────────────────────────────────────────────────────────


@settings(max_examples=30)
@given(st.sampled_from(CORRUPTIONS), st.floats(0.01, 4), st.integers(0, 99), st.integers(1, 4))
def test_a_damaged_picture_has_its_shape_and_range_and_its_seed(kind, severity, seed, n):
    images = pictures(n, 12, seed)
    found = corrupt(images, kind, severity, seed)
    assert found.shape == images.shape and found.dtype == images.dtype
    assert ((found >= 0) & (found <= 1 + 1e-6)).all()
    assert torch.equal(found, corrupt(images, kind, severity, seed))


def test_more_severity_damages_more_and_none_gives_a_copy():
    images = F.pad(torch.ones(50, 1, 6, 6), (5, 5, 5, 5))
    for kind in CORRUPTIONS:
        change = [(corrupt(images, kind, s) - images).abs().mean() for s in (0, 0.2, 0.5, 1, 2)]
        assert change == sorted(change) and change[0] == 0 < change[1], kind
        corrupt(images, kind, 0).zero_()
        assert images.max() == 1, kind


def test_noise_has_the_standard_deviation_it_is_asked_for():
    grey = torch.full((50, 1, 16, 16), 0.5)
    for severity in (0.05, 0.1):
        noise = corrupt(grey, "noise", severity, seed=3) - grey
        n = noise.numel()
        assert abs(noise.mean()) < 5 * severity / n**0.5, severity
        assert noise.std() == pytest.approx(severity, rel=5 / (2 * n) ** 0.5)
        assert not torch.equal(corrupt(grey, "noise", severity, seed=4) - grey, noise)


def test_blur_is_scipys_gaussian_filter():
    images = pictures(3)
    for sigma in (0.3, 0.7, 1.0, 1.5):
        expected = ndimage.gaussian_filter(
            images[:, 0].numpy(), (0, sigma, sigma), mode="constant", radius=math.ceil(3 * sigma)
        )
        assert np.allclose(corrupt(images, "blur", sigma)[:, 0], expected, atol=1e-5), sigma


def directions(n, seed):
    """The random directions that `corrupt` draws: one angle a picture."""
    angle = 2 * math.pi * torch.rand(n, generator=generator(seed)).numpy().astype(float)
    return np.stack([np.sin(angle), np.cos(angle)], 1)  # rows, columns


def test_shift_is_scipys_shift_in_a_random_direction():
    images = pictures(5)
    for pixels in (0.5, 1, 2, 3.7):
        expected = [
            ndimage.shift(image[0].numpy(), -pixels * d, order=1, mode="grid-constant")
            for image, d in zip(images, directions(5, seed=8), strict=True)
        ]
        found = corrupt(images, "shift", pixels, seed=8)[:, 0]
        assert np.allclose(found, expected, atol=1e-5), pixels


def test_a_shift_moves_the_ink_by_that_many_pixels_every_way():
    dot = torch.zeros(200, 1, 16, 16)
    dot[:, :, 8, 8] = 1
    found = corrupt(dot, "shift", 3)[:, 0]
    assert torch.allclose(found.sum((1, 2)), torch.ones(200), atol=1e-4), "no ink is lost"
    at = torch.arange(16.0)
    down, right = (found.sum(2) @ at) - 8, (found.sum(1) @ at) - 8
    assert torch.allclose(torch.hypot(down, right), torch.full((200,), 3.0), atol=1e-3)
    for quadrant in ((down > 0) & (right > 0), (down > 0) & (right < 0), (down < 0) & (right < 0)):
        assert 30 <= quadrant.sum() <= 70


def test_a_wrong_request_says_which_are_right():
    with pytest.raises(ValueError, match="unknown corruption 'fog': choose one of noise, blur, sh"):
        corrupt(pictures(), "fog", 1)
    with pytest.raises(ValueError, match="severity is -0.1: it must be 0 or more"):
        corrupt(pictures(), "noise", -0.1)


# ── wrong labels ────────────────────────────────────────────────────────────────────────────


@given(st.integers(0, 1000), st.integers(2, 12), st.floats(0, 1))
def test_redrawn_labels_stay_in_range_and_the_originals_stay(seed, n_classes, fraction):
    labels = torch.arange(60) % n_classes
    kept = labels.clone()
    found = redraw_labels(labels, fraction, n_classes, seed)
    assert torch.equal(labels, kept)
    assert found.dtype == torch.int64 and 0 <= found.min() and found.max() < n_classes


def test_the_share_of_wrong_labels_is_the_expected_one():
    labels = torch.arange(20_000) % 10
    found = redraw_labels(labels, 0.4, 10, seed=0)
    # A redrawn label is right again once in ten times.
    assert (found != labels).float().mean() == pytest.approx(0.4 * 0.9, abs=0.015)
    assert torch.equal(redraw_labels(labels, 0, 10, 0), labels)
    assert not torch.equal(redraw_labels(labels, 0.4, 10, 1), found)


def test_a_fraction_that_is_none_and_labels_outside_their_range_are_refused():
    for fraction in (-0.1, 1.5, float("nan")):
        with pytest.raises(ValueError, match="it is a probability"):
            redraw_labels(torch.zeros(3, dtype=torch.int64), fraction, 2, 0)
    with pytest.raises(ValueError, match="class"):
        redraw_labels(torch.tensor([0, 5]), 0.1, 3, 0)
