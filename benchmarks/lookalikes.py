"""What are the printed letters worth that look like digits? `python benchmarks/lookalikes.py`, about five minutes.

The source of the backbone `letters` has no digit, and yet some letters are digits in all but name. They stay in: a
real source is not cleaned of the target either. Here the backbone is made again without them.
"""

import numpy as np
import torch

from tlcourse import data, experiment, models, runtime
from tlcourse.data.perturb import perturb
from tlcourse.lessons.ch01_concepts import transfer
from tlcourse.lessons.ch01_concepts.pretrain import pretrain

LIMITS = (0.93, 0.88)  # cosine of two pictures; above the first, two letters count as one
BUDGETS, SEEDS = (1, 2, 5, 10), 10


def twins(limit: float) -> dict[str, str]:
    """Return every letter whose picture in some font face is like a digit's in some other, and that digit."""
    letters, digits = data.glyphs(), data.printed_digits()
    rows, ours = (torch.nn.functional.normalize(s.images.flatten(1)) for s in (letters, digits))
    alike = (rows @ ours.T > limit).nonzero().tolist()
    return {letters.names[letters.labels[i]]: digits.names[digits.labels[k]] for i, k in alike}


def without(letters: data.ImageSet, names) -> data.ImageSet:
    """Return the letters but those of these names, with classes numbered anew."""
    kept = [name for name in letters.names if name not in names]
    number = torch.tensor([kept.index(n) if n in kept else -1 for n in letters.names])
    labels = number[letters.labels]
    left = letters.subset(labels >= 0)
    return data.ImageSet(left.images, labels[labels >= 0], kept, left.groups)


def main() -> None:
    """Print the look-alikes, and what the probe loses without them."""
    torch.set_num_threads(1)
    letters, target = data.glyphs(), data.digits()
    sources = {"all": models.load_backbone("letters")}
    for limit in LIMITS:
        found = twins(limit)
        print(f"cosine above {limit}: {len(found)} of {len(letters.names)} letters")
        for digit in sorted(set(found.values())):
            print(f"  {digit}: {' '.join(sorted(n for n, d in found.items() if d == digit))}")
        sources[limit] = pretrain(without(letters, found), perturb).backbone.cpu()
    chosen = transfer.chosen_settings()["frozen features + logistic regression"]

    def probe(seed):
        found = {}
        for name, source in sources.items():
            for k in BUDGETS:
                train = data.few_labels(target.pool, k, seed)
                learned = transfer.frozen_features(train, seed, source=source, **chosen[k])
                found[name, k] = transfer.accuracy(learned, target.test)
        return found

    runs = experiment.table(experiment.repeat(probe, runtime.seeds(SEEDS)))
    for k in BUDGETS:
        worth = {limit: experiment.paired(runs[limit, k], runs["all", k]) for limit in LIMITS}
        words = "; ".join(f"without those above {limit} {w}" for limit, w in worth.items())
        print(f"{k:2} labels a class: {np.mean(runs['all', k]):.3f}; {words}")


if __name__ == "__main__":
    main()
