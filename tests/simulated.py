"""Experiments whose truth is known: right and wrong pictures of two methods."""


def right_or_wrong(rng, seeds, pictures, spread, gap, writer=None, of_writers=0.0):
    """Two methods' right and wrong, with effects of seeds, pictures and perhaps writers, own and common.

    `writer` numbers who made each picture.
    """
    of_seeds, of_pictures, both = spread

    def effects():
        own = rng.normal(0, of_seeds, (seeds, 1)) + rng.normal(0, of_pictures, (1, pictures))
        if writer is not None:
            own = own + rng.normal(0, of_writers, writer.max() + 1)[writer]
        return own + rng.normal(0, both, (seeds, pictures))

    common = 1.5 + rng.normal(0, of_seeds, (seeds, 1)) + rng.normal(0, of_pictures, (1, pictures))
    luck = rng.logistic(size=(2, seeds, pictures))
    return common + gap + effects() > luck[0], common + effects() > luck[1]
