"""The small network, freezing that freezes, re-estimated statistics, and weights on disk."""

import copy
import io
import os
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from tlcourse import models, training

HEAD = {"head.weight", "head.bias"}


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


def test_a_maximum_before_the_relu_changes_no_number_of_a_training():
    """Also where all of a window is below zero, or two pixels are equal."""

    def in_the_other_order():
        model = models.classifier(models.SmallCNN, 3, seed=4)
        for block in model.backbone.blocks[:2]:
            assert isinstance(block[2], nn.MaxPool2d), "pooling comes first"
            block[2], block[3] = block[3], block[2]
        return model

    images, labels = pictures(90).round(decimals=1), torch.arange(90) % 3
    ours, other = models.classifier(models.SmallCNN, 3, seed=4), in_the_other_order()
    losses = [training.fit(model, images, labels, 12, seed=1) for model in (ours, other)]
    assert losses[0] == losses[1]
    for name, weights in ours.state_dict().items():
        assert torch.equal(weights, other.state_dict()[name]), name
    assert torch.equal(ours.eval()(images), other.eval()(images))


def test_maps_are_read_after_any_block_and_features_are_the_last_flattened():
    backbone, images = models.SmallCNN().eval(), pictures(5)
    shapes = [(1, 16, 16), (16, 8, 8), (32, 4, 4), (32, 4, 4), (64, 2, 2)]
    for depth, shape in enumerate(shapes):
        maps = backbone.maps(images, depth)
        assert maps.shape == (5, *shape), depth
        assert torch.equal(maps, nn.Sequential(*list(backbone.blocks)[:depth])(images)), depth
    features = backbone(images)
    assert features.shape == (5, 256) and backbone.n_features == 256
    assert torch.equal(features, maps.flatten(1))


def test_a_classifier_is_a_backbone_and_a_linear_head():
    backbone = models.SmallCNN()
    model = models.classifier(backbone, 7).eval()
    assert model.backbone is backbone
    scores = backbone.eval()(pictures(4)) @ model.head.weight.T + model.head.bias
    assert torch.allclose(model(pictures(4)), scores, atol=1e-6) and scores.shape == (4, 7)


def test_a_classifier_of_a_class_or_of_a_name_has_new_weights_by_its_seed():
    for given in (models.SmallCNN, "faces"):
        one, same, other = (models.classifier(given, 3, seed) for seed in (1, 1, 2))
        assert moved(one, state(same)) == set(), given
        assert HEAD <= moved(one, state(other)), given
    assert moved(one.backbone, state(models.load_backbone("faces"))) == set()
    assert moved(one, state(other)) == HEAD


def test_features_are_rows_in_the_order_of_the_pictures_in_evaluation_mode():
    images = torch.cat([pictures(100)] * 6)
    assert len(images) > 512, "more than one batch"
    backbone = models.load_backbone().train()
    F = models.features(backbone, images)
    assert F.shape == (len(images), 256) and F.dtype == np.float32
    backbone.eval()
    one_by_one = np.stack([backbone(image[None])[0].detach().numpy() for image in images[:5]])
    assert np.allclose(F[:5], one_by_one, atol=1e-4) and np.allclose(F[:100], F[-100:], atol=1e-4)


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


def test_neither_weights_nor_statistics_of_what_is_frozen_move():
    images, labels = pictures() * 3 + 1, torch.arange(24) % 3
    for train in (train_with_fit, train_with_a_plain_loop):
        model = models.unfreeze(network())  # of what was never frozen: harmless
        before = state(model)
        train(model, images, labels)
        assert moved(model, before) == set(before), "without freezing everything moves"
        assert models.freeze(model.backbone) is model.backbone
        before = state(model)
        train(model, images, labels)
        assert moved(model, before) == HEAD, "and the head learns"
        models.freeze(models.unfreeze(model).backbone.blocks[:2])
        before = state(model)
        train(model, images, labels)
        lowest = ("backbone.blocks.0.", "backbone.blocks.1.")
        assert set(before) - moved(model, before) == {n for n in before if n.startswith(lowest)}


def test_requires_grad_alone_is_not_enough():
    model = network()
    model.backbone.requires_grad_(False)
    before = state(model)
    train_with_a_plain_loop(model, pictures(), torch.arange(24) % 3)
    buffers = {name for name, _ in model.backbone.named_buffers(prefix="backbone")}
    assert moved(model, before) == buffers | HEAD


def round_trip(model):
    other = network(seed=9)
    models.freeze(other.backbone)
    other.load_state_dict(model.state_dict())
    return other


def test_a_copy_is_as_frozen():
    for copied in (copy.deepcopy, round_trip, lambda model: pickle.loads(pickle.dumps(model))):
        model = network()
        models.freeze(model.backbone)
        other = copied(model)
        before = state(other)
        assert moved(model, before) == set()
        train_with_a_plain_loop(other, pictures(), torch.arange(24) % 3)
        assert moved(other, before) == HEAD
        models.unfreeze(other.backbone)
        train_with_a_plain_loop(other, pictures(), torch.arange(24) % 3)
        assert moved(other, before) == set(before)
        model.train()(pictures())
        assert not batch_norms(model)[0].training, "what is done to a copy leaves the original"


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
    assert moved(model, before) == HEAD


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
    with pytest.raises(RuntimeError):  # the modes are restored also when the images do not fit
        models.reestimate_batchnorm(one.eval(), torch.rand(4, 3, 16, 16))
    assert [layer.momentum for layer in batch_norms(one)] == [0.1] * 4
    assert not any(layer.training for layer in batch_norms(one))


def test_a_frozen_module_is_refused():
    backbone = models.freeze(models.SmallCNN())
    before = state(backbone)
    with pytest.raises(ValueError, match="is frozen: re-estimate its statistics before freeze"):
        models.reestimate_batchnorm(backbone, pictures())
    assert moved(backbone, before) == set()
    models.reestimate_batchnorm(models.unfreeze(backbone), pictures())
    assert moved(backbone, before)


# ── weights on disk ─────────────────────────────────────────────────────────────────────────


def test_the_shipped_backbones_are_small_files_of_half_precision():
    for source in ("letters", "faces", "inverted"):
        path = models.WEIGHTS / f"{source}.pt"
        assert path.stat().st_size <= 1_000_000
        stored = torch.load(path, weights_only=True)
        assert {v.dtype for v in stored.values()} == {torch.float16, torch.int64}
        backbone = models.load_backbone(source)
        assert {v.dtype for v in backbone.state_dict().values()} == {torch.float32, torch.int64}
        assert all(torch.equal(v, stored[k].to(v)) for k, v in backbone.state_dict().items())
        assert not backbone.training
        features = backbone(pictures(4))
        assert torch.isfinite(features).all() and features.std() > 0, source


def test_what_is_saved_comes_back_to_half_precision(tmp_path):
    backbone = network(seed=3).backbone
    backbone(pictures())  # moves the statistics away from 0 and 1
    path = tmp_path / "new" / "mine.pt"
    models.save_weights(backbone, path)
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


def test_a_weights_file_cannot_run_code(tmp_path):
    path, harm = tmp_path / "bad.pt", tmp_path / "harm"
    content = models.SmallCNN().state_dict() | {"extra": Malicious(harm)}
    for legacy in (True, False):
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


def test_a_file_that_is_no_backbone_is_an_error_that_names_it(tmp_path):
    shipped, state = (models.WEIGHTS / "letters.pt").read_bytes(), models.SmallCNN().state_dict()
    flipped = bytearray(shipped)
    flipped[len(flipped) // 2] ^= 4
    path = tmp_path / "letters.pt"
    words = r"weights file letters.pt is damaged .* again with python -m tlcourse pretrain letters"
    for name, content in {
        "empty": b"",
        "text": b"not weights at all",
        "half": shipped[:40_000],
        "one byte short": shipped[:-1],
        "one bit": flipped,
        "another network": saved(nn.Linear(2, 2).state_dict()),
        "one missing": saved({k: v for k, v in state.items() if k != "blocks.0.0.weight"}),
        "another size": saved(state | {"blocks.0.0.weight": torch.zeros(16, 1, 5, 5)}),
        "one too many": saved(state | {"head.weight": torch.zeros(2, 256)}),
        "list": saved([1, 2]),
        "numbers": saved({"a": 1}),
    }.items():
        path.write_bytes(content)
        with pytest.raises(ValueError, match=words):
            print(name, models.load_backbone(path=path))


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    words = "digits.pt: choose one of faces, inverted, letters"
    with pytest.raises(FileNotFoundError, match=words):
        models.load_backbone("digits")
    with pytest.raises(FileNotFoundError, match="no weights file mine.pt"):
        models.load_backbone(path=tmp_path / "mine.pt")
