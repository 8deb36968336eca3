"""Lesson 02c, language models: hide words as BERT does, and the perplexity of a model's guesses."""

import math

import numpy as np
import torch

from tlcourse.teaching.exercise import Exercise
from tlcourse.teaching.guard import Crash
from tlcourse.teaching.values import Mistake, as_array, as_number, by_chance, describe, explain

IGNORE = -100

# ── masking ─────────────────────────────────────────────────────────────────────────────────


def verify_mask_tokens(student, rng) -> None:
    """Check what is hidden, what is asked, the shares, the seed, and that each text has its own."""
    mask = int(rng.integers(500, 900))
    tokens = rng.integers(mask, size=(40, 100))
    rate = float(rng.choice([0.15, 0.4]))
    seed = int(rng.integers(1000))
    tokens, draw = _as_it_likes(student, tokens, rate, mask)
    inputs, targets = _pair(draw(seed), tokens.shape)
    again, _ = _pair(draw(seed), tokens.shape)
    if not np.array_equal(inputs, again):
        raise Mistake(
            f"two calls with seed={seed} differ: draw from np.random.default_rng(seed) and from "
            "nothing else."
        )
    asked = targets != IGNORE
    _targets_are_the_words(inputs, targets, tokens, asked)
    _share(asked, rate, "positions are asked", "choose each position with probability rate")
    if (asked == asked[0]).all():
        raise Mistake("every text has the same positions hidden: choose anew for each of them.")
    for before, after in ((asked[:, :-1], asked[:, 1:]), (asked[:-1], asked[1:])):
        advice = "choose each position by itself, whatever its neighbours"
        _share(after[before], rate, "neighbours of asked positions are asked", advice)
    other, _ = _pair(draw(seed + 1), tokens.shape)
    if np.array_equal(inputs, other):
        raise Mistake("another seed hides the same words: make the generator with that seed.")
    _three_kinds(inputs[asked], tokens[asked], mask)


def _as_it_likes(student, tokens, rate, mask):
    """Return the tokens, and the function of a seed; tokens are a tensor if an array will not do."""
    try:
        student(tokens, rate, mask, 0)
    except Crash as crash:
        if not {"TypeError", "AttributeError"} & set(crash.kinds):
            raise
        tensor = torch.from_numpy(tokens)
        student(tensor, rate, mask, 0)
        return tokens, lambda seed: student(tensor, rate, mask, seed)
    return tokens, lambda seed: student(tokens, rate, mask, seed)


def _pair(value, shape) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise Mistake(f"you returned {describe(value)}: return the pair (inputs, targets).")
    wanted = f"two whole-number arrays of shape {shape}, inputs and targets"
    found = tuple(as_array(part, shape, wanted) for part in value)
    if any(part.dtype.kind not in "iu" for part in found):
        raise Mistake(f"numbers of words are whole numbers: return {wanted}.")
    return found


def _targets_are_the_words(inputs, targets, tokens, asked) -> None:
    if asked.all():
        raise Mistake("every position has a target: set it to -100 where nothing was chosen.")
    if not asked.any():
        raise Mistake("no position has a target: it is the true word where one was chosen.")
    if np.array_equal(targets[asked], inputs[asked]):
        raise Mistake(
            "the targets are the inputs: where a word was chosen, the target is the word."
        )
    if not np.array_equal(targets[asked], tokens[asked]):
        raise Mistake("a target is not the word that stood there: take it from tokens.")
    if not np.array_equal(inputs[~asked], tokens[~asked]):
        raise Mistake("a word changed that is not asked for: only chosen positions may change.")


def _share(hits, expected, what, advice) -> None:
    """Refuse a share that chance would not give once in a million checks."""
    found, tolerance = hits.mean(), 5 * math.sqrt(expected * (1 - expected) / hits.size)
    if abs(found - expected) > tolerance:
        raise Mistake(f"{found:.0%} of the {what}, not about {expected:.0%}: {advice}.")


def _three_kinds(inputs, words, mask) -> None:
    masked, kept = inputs == mask, inputs == words
    if masked.all():
        raise Mistake(
            "every chosen word is masked: 10 % become a random word and 10 % stay as they are."
        )
    if inputs.max() > mask or inputs.min() < 0:
        raise Mistake(f"{inputs.max()} is no word: random words have numbers from 0 to {mask - 1}.")
    _share(masked, 0.8, "chosen words are masked", "80 % of the chosen become the mask")
    _share(kept, 0.1, "chosen words stay", "10 % of the chosen stay as they are")
    after = masked[1:][~masked[:-1]]
    advice = "draw what happens to each chosen word by itself"
    _share(after, 0.8, "chosen words after one that is not masked are masked", advice)
    random = inputs[~masked & ~kept]
    if len(np.unique(random)) < len(random) / 4:
        raise Mistake("the random words are nearly all the same: draw one for each position.")
    if not by_chance(np.bincount(4 * random // mask, minlength=4)):
        raise Mistake(
            f"random words come from {random.min()} … {random.max()}, and not evenly: draw from all "
            f"{mask} words."
        )


MASK_TOKENS = Exercise(
    name="mask_tokens",
    level=2,
    minutes=15,
    goal="Hide words as BERT does, so that text without labels becomes a labelled task.",
    given=(
        "`tokens`, an int array (n, length) of word numbers below `mask` (a tensor for a function "
        "that is written in torch); `rate`, a float between 0 "
        "and 1; `mask`, the int that stands for a hidden word; `seed`, an int."
    ),
    returns=(
        "`(inputs, targets)`, two int arrays of the shape of `tokens`. Each position is chosen with "
        "probability `rate`. There the target is the word, and the input is `mask` (80 %), a random "
        "number below `mask` (10 %) or the word itself (10 %). Elsewhere the input is the word and "
        "the target -100. The same seed gives the same result."
    ),
    example=(
        "`mask_tokens(np.array([[3, 1, 4]]), 0.5, 9, 0)` may return `([[3, 9, 4]], [[-100, 1, -100]])`."
    ),
    hints=(
        "Two random numbers a position do: one says whether it is chosen, one says what happens.",
        "`np.where(chosen, tokens, -100)` are the targets; start the inputs from a copy of tokens.",
        "`chosen & (kind < 0.8)` get the mask, `chosen & (kind >= 0.9)` a random word.",
    ),
    verify=verify_mask_tokens,
    cases=5,
)

# ── perplexity ──────────────────────────────────────────────────────────────────────────────


def verify_perplexity(student, rng) -> None:
    """Compare with one loop over the asked words; recognise other means and bases."""
    shape = tuple(rng.integers(3, 8, size=2))
    probabilities = rng.uniform(0.01, 0.6, shape)
    asked = rng.random(shape) < 0.5
    asked[0, :2] = [True, False]
    value = as_number(student(probabilities, asked), "one number, the perplexity")
    expected = perplexity_slowly(probabilities, asked)
    known = _typical_perplexities(probabilities, asked, expected)
    explain(student, value, expected, known, "the perplexity")


def perplexity_slowly(probabilities, asked) -> float:
    """Return exp of the mean surprise over the asked words, one at a time."""
    surprise = [-math.log(p) for p, a in zip(probabilities.flat, asked.flat, strict=True) if a]
    return math.exp(sum(surprise) / len(surprise))


def _typical_perplexities(probabilities, asked, expected) -> dict[str, float]:
    """Return what typical mistakes give, by their sentence."""
    p = probabilities[asked]
    every = perplexity_slowly(probabilities, np.ones_like(asked))
    rows = [perplexity_slowly(q, a) for q, a in zip(probabilities, asked, strict=True) if a.any()]
    bits = math.log2(expected)
    return {
        "this counts words that were not asked for: take probabilities[asked] only": every,
        "this is the mean surprise: take the exponential of it": math.log(expected),
        "this is one over the mean probability: average the logarithms instead": 1 / p.mean(),
        "this is the mean of 1/p: average the logarithms, then take the exponential": np.mean(
            1 / p
        ),
        "this is below 1: a minus sign is missing in front of the logarithm": 1 / expected,
        "the logarithm has another base than the power: use np.log with np.exp": expected
        ** math.log(2),
        "the power has another base than the logarithm: use np.log with np.exp": math.exp(bits),
        "the sum is not divided by the number of asked words": expected ** len(p),
        "the mean is over all positions: divide by the number of asked words": expected
        ** np.mean(asked),
        "this averages the perplexities of the rows: average over all asked words": np.mean(rows),
    }


PERPLEXITY = Exercise(
    name="perplexity",
    level=1,
    minutes=10,
    goal="Say in one number how unsure a language model is.",
    given=(
        "`probabilities`, a float array (n, length): what the model gave to the true word at each "
        "position, above 0; `asked`, a bool array of that shape, True where a word was asked for, at "
        "least once."
    ),
    returns=(
        "a float, correct to 1 part in 1e6: the exponential of the mean of -log p over the asked "
        "words."
    ),
    example=(
        "`perplexity(np.array([[0.5, 0.9, 0.125]]), np.array([[True, False, True]]))` returns 4.0."
    ),
    hints=(
        "`probabilities[asked]` are the numbers that count.",
        "Average `-np.log(p)`, then take `np.exp` of the average.",
    ),
    verify=verify_perplexity,
)

EXERCISES = (MASK_TOKENS, PERPLEXITY)
