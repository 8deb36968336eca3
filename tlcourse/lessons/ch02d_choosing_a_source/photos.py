"""Lesson 02d: a network that learned from ImageNet, on photographs of ants and bees.

Everything goes through torchvision's own API. Nothing is ever fetched unless you ask for it: the
photographs are looked for under ``TLCOURSE_DATA``, the weights under ``TORCH_HOME``.
"""

import hashlib
import math
from functools import partial
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.svm import SVC

from tlcourse import runtime, settings
from tlcourse.data import draw_rows, load_folder
from tlcourse.data.cache import cached, data_folder

CLASSES = ("ants", "bees")
PARTS = ("train", "val")  # 244 and 153 photographs; we test on the second
BUDGETS = (5, 20, 100)  # labelled photographs a class
SETTINGS = Path(__file__).with_suffix(".json")
BATCH = 32  # photographs that go through a network together
INITS = 3  # networks of random weights to compare with
IMAGENET, PIXELS = "ImageNet features", "SVM on 16 × 16 colours"
METHODS = (IMAGENET, "random weights", PIXELS)
HOW = (
    "download hymenoptera_data.zip from PyTorch's tutorial on transfer learning and set TLCOURSE_DATA "
    "to the folder where you unpack it."
)


# ── what lies on the disk ───────────────────────────────────────────────────────────────────


def hymenoptera(part: str, transform=None):
    """Return the photographs of ants and bees as torchvision's ``ImageFolder``.

    Parameters
    ----------
    part : {"train", "val"}
    transform : callable, optional
        Applied to each photograph (PIL, RGB).

    Raises
    ------
    FileNotFoundError
        If the folder, or all photographs of a class, are missing.
    ValueError
        If there is a third class.
    """
    folder = data_folder() / "hymenoptera_data" / part
    found = {f.name for f in folder.glob("[!.]*") if f.is_dir()}
    if not found >= set(CLASSES):
        raise FileNotFoundError(f"the photographs of ants and bees are not here: {HOW}")
    if found > set(CLASSES):
        raise ValueError(f"{part} holds {sorted(found)}: leave only the folders ants and bees.")
    try:
        return load_folder(folder, transform)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"a class of {part} holds no photograph: {HOW}") from error


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
        f"the ImageNet weights {weights_file().name} are not here: call "
        "photos.squeezenet(download=True) once with a network connection, or set TORCH_HOME to a "
        "folder that holds them in hub/checkpoints."
    )


# ── features, computed once ─────────────────────────────────────────────────────────────────


def represented() -> dict[str, np.ndarray]:
    """Return labels, colour pixels and features of all photographs, from the cache if they are there.

    Returns
    -------
    dict of arrays
        For each part: ``{part} labels`` (n,); ``{part} pixels`` (n, 768), 16 × 16 colours in [0, 1];
        ``{part} imagenet`` and ``{part} random 0`` … (n, 512).

    Raises
    ------
    FileNotFoundError, ValueError
        See `hymenoptera` and `squeezenet`; ValueError also for a damaged photograph.
    """
    parts = {part: represent(hymenoptera(part), f"photographs, {part}") for part in PARTS}
    return {f"{part} {name}": rows for part in PARTS for name, rows in parts[part].items()}


def represent(photographs, description: str = "photographs") -> dict[str, np.ndarray]:
    """Return labels, colour pixels and features of photographs, from the cache if they are there.

    Parameters
    ----------
    photographs : torchvision.datasets.ImageFolder
        See `data.load_folder`; its transform is not used.
    description : str
        Words for the progress bar.

    Returns
    -------
    dict of arrays
        ``labels``, ``pixels``, ``imagenet``, ``random 0`` …, shapes as in `represented`.
    """
    content = hashlib.sha256(f"{INITS} random networks".encode())
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
    rows = {name: [] for name in ("pixels", *networks)}
    steps = math.ceil(len(photographs) / BATCH)
    for batch in runtime.progress(_batches(photographs), description, steps):
        # The same crop, reduced to 16 × 16: what the simple baseline sees.
        small = torch.nn.functional.interpolate(batch, (16, 16), mode="area").flatten(1)
        rows["pixels"].append(small)
        shown = batch.to(device)
        with torch.no_grad():
            for name, network in networks.items():
                rows[name].append(network(shown).cpu())
    arrays = {name: torch.cat(found).numpy() for name, found in rows.items()}
    return arrays | {"labels": np.array(photographs.targets)}


def _batches(photographs):
    """Yield the photographs as the network wants them: 224 × 224, ImageNet's mean and spread."""
    from torchvision.models import SqueezeNet1_1_Weights

    prepare = SqueezeNet1_1_Weights.DEFAULT.transforms()
    for start in range(0, len(photographs), BATCH):
        rows = range(start, min(start + BATCH, len(photographs)))
        yield torch.stack([prepare(_photograph(photographs, row)) for row in rows])


def _photograph(photographs, row: int):
    try:
        return photographs[row][0]
    except Exception as error:  # whatever PIL says of a file that is no picture
        name = Path(photographs.samples[row][0]).name
        raise ValueError(
            f"the photograph {name} is damaged: delete it or copy it again."
        ) from error


def thumbnails(part: str, rows, side: int = 96) -> np.ndarray:
    """Return some photographs, cropped to a square, for looking at: (n, side, side, 3), uint8."""
    from torchvision.transforms import v2

    crop = v2.Compose([v2.Resize(side), v2.CenterCrop(side)])
    photographs = hymenoptera(part, crop)
    return np.stack([np.asarray(_photograph(photographs, row)) for row in rows])


# ── the comparison ──────────────────────────────────────────────────────────────────────────


def views(seed: int) -> dict[str, str]:
    """Return which array each method reads; the random network changes with the seed."""
    return dict(zip(METHODS, ("imagenet", f"random {seed % INITS}", "pixels"), strict=True))


def estimator(method: str, scaling: str, C: float):
    """Return the classifier of a method: an RBF support vector machine on pixels, else logistic."""
    scaler = Normalizer() if scaling == "unit length" else StandardScaler()
    model = SVC(C=C) if method == PIXELS else LogisticRegression(C=C, max_iter=2000)
    return make_pipeline(scaler, model)


def candidates(method: str) -> list[dict]:
    """Return six settings, as many for each method."""
    strengths = (1, 10, 100) if method == PIXELS else (0.01, 1, 100)
    return [{"scaling": s, "C": C} for s in ("unit length", "standard") for C in strengths]


def choose(arrays: dict, per_class: int, seeds) -> dict[str, dict]:
    """Choose each method's settings by accuracy on the training photographs that were not drawn."""
    labels = arrays["train labels"]

    def scores(method, seed):
        rows, X = draw_rows(labels, per_class, seed), arrays[f"train {views(seed)[method]}"]
        rest = np.setdiff1d(np.arange(len(labels)), rows)
        fitted = [estimator(method, **c).fit(X[rows], labels[rows]) for c in candidates(method)]
        return [model.score(X[rest], labels[rest]) for model in fitted]

    return {m: settings.choose(candidates(m), partial(scores, m), seeds) for m in METHODS}


def chosen_settings() -> dict[int, dict]:
    """Return what ``python -m tlcourse choose photos`` chose, as {per_class: {method: settings}}."""
    return settings.stored(SETTINGS)


def compare(arrays: dict, per_class: int, seed: int, chosen: dict) -> dict[str, np.ndarray]:
    """Learn from the same few photographs with each of `METHODS`; label those of the test.

    Parameters
    ----------
    arrays : dict
        From `represented`.
    per_class : int
        Labels a class.
    seed : int
        Draws the labelled photographs, and one of the random networks.
    chosen : dict
        From `chosen_settings`.

    Returns
    -------
    dict
        Method to predicted labels, shape (153,).
    """
    rows = draw_rows(arrays["train labels"], per_class, seed)
    found = {}
    for method, key in views(seed).items():
        model = estimator(method, **chosen[per_class][method])
        model.fit(arrays[f"train {key}"][rows], arrays["train labels"][rows])
        found[method] = model.predict(arrays[f"val {key}"])
    return found


def main() -> None:
    """Choose the settings of every method at every budget, and write them down."""
    arrays, seeds = represented(), settings.choosing_seeds(20)
    settings.store(SETTINGS, {k: choose(arrays, k, seeds) for k in BUDGETS})
