"""The small network, freezing that freezes, re-estimated statistics, and weights on disk."""

import copy
import io
import os
import pickle

import pytest
import torch
from torch import nn

from tlcourse import models, training


def pictures(n=24, seed=0):
    return torch.rand(n, 1, 16, 16, generator=torch.Generator().manual_seed(seed))


def network(seed=0, classes=3):
    torch.manual_seed(seed)
    return models.classifier(models.SmallCNN(), classes)


def state(module):
    """A copy of everything a module holds: weights, and BatchNorm buffers."""
    return {name: value.clone() for name, value in module.state_dict().items()}


def moved(module, before):
    """The names of what differs from an earlier `state`."""
    return {name for name, value in module.state_dict().items() if not value.equal(before[name])}


def batch_norms(module):
    return [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]


def statistics(module):
    return [b for layer in batch_norms(module) for b in (layer.running_mean, layer.running_var)]


# ── the network ─────────────────────────────────────────────────────────────────────────────


def test_a_backbone_of_four_blocks_with_about_33000_weights():
    backbone = models.SmallCNN()
    assert len(backbone.blocks) == 4
    weights = sum(p.numel() for p in backbone.parameters())
    assert weights == pytest.approx(33_000, rel=0.05)


@pytest.mark.parametrize(
    "depth, shape",
    [(0, (1, 16, 16)), (1, (16, 8, 8)), (2, (32, 4, 4)), (3, (32, 4, 4)), (4, (64, 2, 2))],
)
def test_maps_are_read_after_any_block(depth, shape):
    backbone = models.SmallCNN().eval()
    images = pictures(5)
    maps = backbone.maps(images, depth)
    assert maps.shape == (5, *shape)
    expected = nn.Sequential(*list(backbone.blocks)[:depth])(images)
    assert torch.equal(maps, expected)


def test_features_are_the_last_maps_flattened():
    backbone = models.SmallCNN().eval()
    features = backbone(pictures(5))
    assert features.shape == (5, 256) and backbone.n_features == 256
    assert torch.equal(features, backbone.maps(pictures(5), 4).flatten(1))


def test_a_classifier_is_a_backbone_and_a_linear_head():
    backbone = models.SmallCNN()
    model = models.classifier(backbone, 7).eval()
    assert model.backbone is backbone
    scores = backbone.eval()(pictures(4)) @ model.head.weight.T + model.head.bias
    assert torch.allclose(model(pictures(4)), scores, atol=1e-6) and scores.shape == (4, 7)


def test_channels_last_changes_the_memory_and_not_the_numbers():
    one = network()
    other = copy.deepcopy(one).to(memory_format=torch.contiguous_format)
    kernel = one.backbone.blocks[1][0].weight
    assert kernel.is_contiguous(memory_format=torch.channels_last) and not kernel.is_contiguous()
    images, labels = pictures(), torch.arange(24) % 3
    assert torch.allclose(one(images), other(images), atol=1e-5)
    for model in (one, other):
        nn.functional.cross_entropy(model(images), labels).backward()
    for p, q in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.allclose(p.grad, q.grad, atol=1e-4)


# ── freezing ────────────────────────────────────────────────────────────────────────────────


def train_with_fit(model, images, labels):
    hook = training.Validation(images, labels)
    training.fit(model, images, labels, 12, lr=1e-2, batch_size=12, hook=hook, every=3)


def train_with_a_plain_loop(model, images, labels):
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=1e-2)
    for _ in range(10):
        model.train()
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()


loops = pytest.mark.parametrize("train", [train_with_fit, train_with_a_plain_loop])


@loops
def test_neither_weights_nor_statistics_of_a_frozen_module_move(train):
    model = network()
    assert models.freeze(model.backbone) is model.backbone
    before = state(model)
    train(model, pictures() * 3 + 1, torch.arange(24) % 3)
    assert moved(model, before) == {"head.weight", "head.bias"}, "and the head learns"


@loops
def test_without_freezing_everything_moves(train):
    model = network()
    before = state(model)
    train(model, pictures(), torch.arange(24) % 3)
    assert moved(model, before) == set(before)


def test_requires_grad_alone_is_not_enough():
    model = network()
    model.backbone.requires_grad_(False)
    before = state(model)
    train_with_a_plain_loop(model, pictures(), torch.arange(24) % 3)
    buffers = {name for name, _ in model.backbone.named_buffers(prefix="backbone")}
    assert moved(model, before) == buffers | {"head.weight", "head.bias"}


def test_some_blocks_can_be_frozen():
    model = network()
    models.freeze(model.backbone.blocks[:2])
    before = state(model)
    train_with_fit(model, pictures(), torch.arange(24) % 3)
    unmoved = set(before) - moved(model, before)
    assert unmoved == {
        name for name in before if name.startswith(("backbone.blocks.0.", "backbone.blocks.1."))
    }


def round_trip(model):
    other = network(seed=9)
    models.freeze(other.backbone)
    other.load_state_dict(model.state_dict())
    return other


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, round_trip, lambda model: pickle.loads(pickle.dumps(model))],
    ids=["deepcopy", "state_dict", "pickle"],
)  # fmt: skip
def test_a_copy_is_as_frozen(copied):
    model = network()
    models.freeze(model.backbone)
    other = copied(model)
    before = state(other)
    assert moved(model, before) == set()
    train_with_a_plain_loop(other, pictures(), torch.arange(24) % 3)
    assert moved(other, before) == {"head.weight", "head.bias"}
    models.unfreeze(other.backbone)
    train_with_a_plain_loop(other, pictures(), torch.arange(24) % 3)
    assert moved(other, before) == set(before)
    model.train()(pictures())
    assert not batch_norms(model)[0].training, "what is done to a copy leaves the original alone"


def test_freezing_twice_is_harmless_and_unfreezing_undoes_it():
    model = network()
    for _ in range(3):
        models.freeze(models.freeze(model.backbone))
        assert all(len(layer._forward_pre_hooks) == 1 for layer in batch_norms(model))
        models.unfreeze(model.backbone)
    before = state(model)
    train_with_a_plain_loop(model, pictures(), torch.arange(24) % 3)
    assert moved(model, before) == set(before)
    models.freeze(model.backbone)
    before = state(model)
    train_with_a_plain_loop(model, pictures(), torch.arange(24) % 3)
    assert moved(model, before) == {"head.weight", "head.bias"}


def test_unfreezing_what_was_never_frozen_is_harmless():
    model = models.unfreeze(network())
    before = state(model)
    train_with_a_plain_loop(model, pictures(), torch.arange(24) % 3)
    assert moved(model, before) == set(before)


# ── statistics re-estimated ─────────────────────────────────────────────────────────────────


def test_reestimated_statistics_are_those_of_the_images_computed_by_hand():
    backbone = models.SmallCNN().eval()
    images = pictures(10) * 2 - 3
    before = state(backbone)
    models.reestimate_batchnorm(backbone, images)
    maps = images
    for convolution, norm, *rest in backbone.blocks:
        maps = convolution(maps)
        channels = maps.transpose(0, 1).flatten(1)
        n = channels.shape[1]
        mean = channels.sum(1) / n
        squares = ((channels - mean[:, None]) ** 2).sum(1)
        assert torch.allclose(norm.running_mean, mean, atol=1e-5)
        assert torch.allclose(norm.running_var, squares / (n - 1), rtol=1e-4), "unbiased"
        scaled = (maps - mean.view(-1, 1, 1)) / (squares / n + norm.eps).sqrt().view(-1, 1, 1)
        maps = scaled * norm.weight.view(-1, 1, 1) + norm.bias.view(-1, 1, 1)
        maps = nn.Sequential(*rest)(maps)
    weights = {name for name, _ in backbone.named_parameters()}
    assert moved(backbone, before) == set(before) - weights, "the weights stay"


def test_what_was_there_before_leaves_no_trace_and_modes_are_restored():
    one, other = network().backbone, network().backbone
    other.train()(pictures(seed=5) * 9)
    batch_norms(other)[1].momentum = 0.3
    batch_norms(other)[2].eval()
    for backbone in (one, other):
        models.reestimate_batchnorm(backbone, pictures())
    assert all(torch.equal(a, b) for a, b in zip(statistics(one), statistics(other), strict=True))
    assert [layer.momentum for layer in batch_norms(other)] == [0.1, 0.3, 0.1, 0.1]
    assert [layer.training for layer in batch_norms(other)] == [True, True, False, True]
    assert not any(p.grad is not None for p in other.parameters())


def test_modes_are_restored_also_when_the_images_do_not_fit():
    backbone = models.SmallCNN().eval()
    with pytest.raises(RuntimeError):
        models.reestimate_batchnorm(backbone, torch.rand(4, 3, 16, 16))
    assert [layer.momentum for layer in batch_norms(backbone)] == [0.1] * 4
    assert not any(layer.training for layer in batch_norms(backbone))


def test_a_frozen_module_is_refused():
    backbone = models.freeze(models.SmallCNN())
    before = state(backbone)
    with pytest.raises(
        ValueError, match=r"is frozen: re-estimate its statistics before freeze\(\)"
    ):
        models.reestimate_batchnorm(backbone, pictures())
    assert moved(backbone, before) == set()
    models.reestimate_batchnorm(models.unfreeze(backbone), pictures())
    assert moved(backbone, before)


# ── weights on disk ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("source", ["letters", "faces", "inverted"])
def test_the_shipped_backbones_are_small_files_of_half_precision(source):
    path = models.WEIGHTS / f"{source}.pt"
    assert path.stat().st_size <= 1_000_000
    stored = torch.load(path, weights_only=True)
    assert {v.dtype for v in stored.values()} == {torch.float16, torch.int64}
    backbone = models.load_backbone(source)
    assert {v.dtype for v in backbone.state_dict().values()} == {torch.float32, torch.int64}
    assert all(torch.equal(v, stored[k].to(v)) for k, v in backbone.state_dict().items())
    assert not backbone.training
    features = backbone(pictures(4))
    assert torch.isfinite(features).all() and features.std() > 0


def test_what_is_saved_comes_back_to_half_precision(tmp_path):
    backbone = network(seed=3).backbone
    backbone(pictures())  # moves the statistics away from 0 and 1
    path = tmp_path / "new" / "mine.pt"
    models.save_backbone(backbone, path)
    stored = torch.load(path, weights_only=True)
    assert {v.dtype for v in stored.values()} == {torch.float16, torch.int64}
    found = models.load_backbone(path=path)
    for name, value in backbone.state_dict().items():
        assert torch.allclose(found.state_dict()[name], value, rtol=1e-3, atol=1e-6), name
    assert found.blocks[1][0].weight.is_contiguous(memory_format=torch.channels_last)
    assert backbone.blocks[0][0].weight.dtype == torch.float32, "saving changes nothing in memory"


class Malicious:
    """Unpickling this makes a folder: it could as well delete one."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("legacy", [True, False])
def test_a_weights_file_cannot_run_code(tmp_path, legacy):
    path, harm = tmp_path / "bad.pt", tmp_path / "harm"
    content = models.SmallCNN().state_dict() | {"extra": Malicious(harm)}
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ValueError, match="the weights file bad.pt is damaged or holds another"):
        models.load_backbone(path=path)
    assert not harm.exists()
    torch.load(path, weights_only=False)
    assert harm.exists(), "the file is as malicious as it should be"


def saved(content):
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def flipped():
    """The shipped file with one bit changed in the middle of its weights."""
    content = bytearray((models.WEIGHTS / "letters.pt").read_bytes())
    content[len(content) // 2] ^= 4
    return bytes(content)


STATE = models.SmallCNN().state_dict()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not weights at all",
        (models.WEIGHTS / "letters.pt").read_bytes()[:40_000],
        (models.WEIGHTS / "letters.pt").read_bytes()[:-1],
        flipped(),
        saved(nn.Linear(2, 2).state_dict()),
        saved({k: v for k, v in STATE.items() if k != "blocks.0.0.weight"}),
        saved(STATE | {"blocks.0.0.weight": torch.zeros(16, 1, 5, 5)}),
        saved(STATE | {"head.weight": torch.zeros(2, 256)}),
        saved([1, 2]),
        saved({"a": 1}),
    ],
    ids=["empty", "text", "half", "one byte short", "one bit", "another network", "one missing",
         "another size", "one too many", "list", "numbers"],
)  # fmt: skip
def test_a_file_that_is_no_backbone_is_an_error_that_names_it(tmp_path, content):
    path = tmp_path / "letters.pt"
    path.write_bytes(content)
    words = r"weights file letters.pt is damaged .* again with python -m tlcourse pretrain letters"
    with pytest.raises(ValueError, match=words):
        models.load_backbone(path=path)


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(
        FileNotFoundError, match="digits.pt: choose one of faces, inverted, letters"
    ):
        models.load_backbone("digits")
    with pytest.raises(FileNotFoundError, match="no weights file mine.pt"):
        models.load_backbone(path=tmp_path / "mine.pt")
