"""Lesson 00: what a network from torchvision computes from photographs, and what two baselines do."""

import hashlib
import math
from functools import partial
from pathlib import Path

import numpy as np
import torch

from tlcourse import runtime
from tlcourse.data.cache import cached

BATCH = 32  # photographs that go through a network together
INITS = 3  # networks of random weights to compare with
SHADES = 4  # of red, green and blue each: 64 colours


# ── the network ─────────────────────────────────────────────────────────────────────────────


def squeezenet(pretrained: bool = True, seed: int = 0, download: bool = False):
    """Return SqueezeNet 1.1 without its head: photographs to 512 features, the mean over all places.

    Parameters
    ----------
    pretrained : bool
        ImageNet weights, or else random ones.
    seed : int
        Of the random weights.
    download : bool
        Fetch the weights, 5 MB, if they are not under ``TORCH_HOME``.

    Raises
    ------
    FileNotFoundError
        If the weights are missing and may not, or cannot, be fetched.
    ValueError
        If the weights file is damaged.

    References
    ----------
    Iandola et al. (2016), arXiv:1602.07360.
    """
    from torchvision.models import squeezenet1_1

    if pretrained and not download and not weights_file().exists():
        raise FileNotFoundError(_no_weights())
    try:
        with runtime.seeded(seed):
            network = squeezenet1_1(weights="DEFAULT" if pretrained else None)
    except OSError as error:  # no network, no server, no room
        raise FileNotFoundError(_no_weights()) from error
    except Exception as error:
        raise ValueError(
            f"the weights file {weights_file().name} is damaged: delete it and get it again."
        ) from error
    pool = torch.nn.Sequential(network.features, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    return pool.eval().to(memory_format=torch.channels_last)  # twice as fast on a CPU


def weights_file() -> Path:
    """Return where torchvision keeps the ImageNet weights of SqueezeNet 1.1."""
    from torchvision.models import SqueezeNet1_1_Weights

    return Path(torch.hub.get_dir(), "checkpoints", Path(SqueezeNet1_1_Weights.DEFAULT.url).name)


def _no_weights():
    return (
        f"the ImageNet weights {weights_file().name} are not here: set FETCH = True once in lesson 00 "
        "with a network connection, or set TORCH_HOME to a folder that holds them in hub/checkpoints."
    )


# ── features, computed once ─────────────────────────────────────────────────────────────────


def represent(photographs, description: str = "photographs") -> dict[str, np.ndarray]:
    """Return labels, features, pixels and colours of photographs, from the cache if they are there.

    Parameters
    ----------
    photographs : torchvision.datasets.ImageFolder
        See `data.load_folder`; its transform is not used.
    description : str
        Words for the progress bar.

    Returns
    -------
    dict of arrays
        ``labels`` (n,); ``pixels`` (n, 768), 16 × 16 colours, ImageNet's mean and spread taken out;
        ``colours`` (n, 64), see `colours`; ``imagenet`` and ``random 0`` … (n, 512).

    Raises
    ------
    FileNotFoundError, ValueError
        See `squeezenet`; ValueError also for a damaged photograph.
    """
    content = hashlib.sha256(f"{INITS} random networks, {SHADES} shades".encode())
    for path, label in photographs.samples:
        content.update(Path(path).read_bytes() + str(label).encode())
    squeezenet()  # says in one sentence what is missing, before minutes pass
    content.update(weights_file().read_bytes())
    make = partial(_represent, photographs, description)
    return cached(f"photographs-{content.hexdigest()[:12]}", make)


def _represent(photographs, description):
    device, networks = runtime.device(), {"imagenet": squeezenet()}
    networks |= {f"random {seed}": squeezenet(pretrained=False, seed=seed) for seed in range(INITS)}
    networks = {name: network.to(device) for name, network in networks.items()}
    rows = {name: [] for name in ("pixels", "colours", *networks)}
    steps = math.ceil(len(photographs) / BATCH)
    for batch in runtime.progress(batches(photographs), description, steps):
        # The same crop, reduced to 16 × 16: what the simple baseline sees.
        small = torch.nn.functional.interpolate(batch, (16, 16), mode="area").flatten(1)
        rows["pixels"].append(small)
        rows["colours"].append(colours(batch))
        shown = batch.to(device)
        with torch.no_grad():
            for name, network in networks.items():
                rows[name].append(network(shown).cpu())
    arrays = {name: torch.cat(found).numpy() for name, found in rows.items()}
    return arrays | {"labels": np.array(photographs.targets)}


def batches(photographs):
    """Yield the photographs as the network wants them: 224 × 224, ImageNet's mean and spread."""
    prepare = _weights().transforms()
    for start in range(0, len(photographs), BATCH):
        rows = range(start, min(start + BATCH, len(photographs)))
        yield torch.stack([prepare(photographs[row][0]) for row in rows])


def colours(batch: torch.Tensor) -> torch.Tensor:
    """Count the pixels of each of 64 colours in prepared photographs: no shape, no place.

    Parameters
    ----------
    batch : tensor, shape (n, 3, height, width)
        From `batches`.

    Returns
    -------
    tensor, shape (n, 64)
        Square roots of the shares, so that a rare colour counts too.
    """
    prepare = _weights().transforms()
    mean, spread = (torch.tensor(values)[:, None, None] for values in (prepare.mean, prepare.std))
    shades = ((batch * spread + mean) * SHADES).long().clamp(0, SHADES - 1)
    colour = (shades[:, 0] * SHADES + shades[:, 1]) * SHADES + shades[:, 2]
    counts = torch.stack([c.flatten().bincount(minlength=SHADES**3) for c in colour])
    return (counts / counts.sum(1, keepdim=True)).sqrt()


def _weights():
    from torchvision.models import SqueezeNet1_1_Weights

    return SqueezeNet1_1_Weights.DEFAULT
