"""Fair choice: every method's settings are chosen in the same way, on targets that no report uses.

A room lists its candidates, as many for each method, and chooses among them by mean validation accuracy
over `choosing_seeds`, on `data.development_targets` where it is about pictures. What it chose lies beside it: ``finetuning.json`` beside ``finetuning.py``. To
choose again: ``python -m tlcourse choose finetuning``.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tlcourse import experiment, runtime


def choosing_seeds(n: int = 4) -> list[int]:
    """Return `n` seeds to choose with, the same for every reader: no report uses seeds from 900,000 up."""
    return list(range(runtime.CHOOSING, runtime.CHOOSING + n))


def best(candidates: Sequence, scores) -> object:
    """Return the candidate with the highest score; of equal ones, the first."""
    return candidates[int(np.argmax(scores))]


def choose(candidates: Sequence[dict], scores: Callable, seeds, words="choosing settings") -> dict:
    """Return the candidate with the best mean score over `seeds`.

    Parameters
    ----------
    candidates : sequence of dict
    scores : callable
        ``scores(seed)`` returns the validation score of every candidate, all from one draw of labels.
    seeds : sequence of int
        None of those of the report: their few labels would then be used twice.
    words : str
        In front of the progress bar.
    """
    return best(candidates, np.mean(experiment.repeat(scores, seeds, words), axis=0))


def stored(path: Path) -> dict:
    """Return what was chosen and written down.

    Keys that are whole numbers, such as labels a class, are integers again: JSON has only texts.
    """

    def numbered(pairs):
        return {int(key) if key.isdecimal() else key: value for key, value in pairs}

    return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=numbered)


def store(path: Path, chosen: dict) -> None:
    """Write down what was chosen."""
    path.write_text(json.dumps(chosen, indent=1) + "\n", encoding="utf-8", newline="\n")
