"""Typical wrong answers to the exercises of lesson 02b on language models, and what they hear."""

import numpy as np
from lessons.ch02c_language.right_answers import mask_with_where

# ── mask_tokens ─────────────────────────────────────────────────────────────────────────────


def always_the_mask(tokens, rate, mask, seed):
    chosen = np.random.default_rng(seed).random(tokens.shape) < rate
    return np.where(chosen, mask, tokens), np.where(chosen, tokens, -100)


def every_word_is_asked(tokens, rate, mask, seed):
    return mask_with_where(tokens, rate, mask, seed)[0], tokens


def asks_for_the_mask(tokens, rate, mask, seed):
    inputs, targets = mask_with_where(tokens, rate, mask, seed)
    return inputs, np.where(targets == -100, -100, inputs)


def one_choice_for_all_texts(tokens, rate, mask, seed):
    rng = np.random.default_rng(seed)
    places = rng.permutation(tokens.shape[1])[: round(rate * tokens.shape[1])]
    chosen = np.isin(np.arange(tokens.shape[1]), places) & np.ones(tokens.shape, dtype=bool)
    kind = rng.random(tokens.shape)
    inputs = np.where(chosen & (kind < 0.8), mask, tokens)
    inputs = np.where(chosen & (kind >= 0.9), rng.integers(mask, size=tokens.shape), inputs)
    return inputs, np.where(chosen, tokens, -100)


def shares_of_everything(tokens, rate, mask, seed):
    return mask_with_where(tokens, min(0.9, rate * 1.5), mask, seed)


def no_word_stays(tokens, rate, mask, seed):
    rng = np.random.default_rng(seed)
    chosen, kind = rng.random(tokens.shape) < rate, rng.random(tokens.shape)
    inputs = np.where(chosen & (kind < 0.8), mask, tokens)
    inputs = np.where(chosen & (kind >= 0.8), rng.integers(mask, size=tokens.shape), inputs)
    return inputs, np.where(chosen, tokens, -100)


def no_seed(tokens, rate, mask, seed):
    return mask_with_where(tokens, rate, mask, None)


def always_one_seed(tokens, rate, mask, seed):
    return mask_with_where(tokens, rate, mask, 0)


def only_the_inputs(tokens, rate, mask, seed):
    return mask_with_where(tokens, rate, mask, seed)[0]


def one_random_word(tokens, rate, mask, seed):
    rng = np.random.default_rng(seed)
    chosen, kind = rng.random(tokens.shape) < rate, rng.random(tokens.shape)
    inputs = np.where(chosen & (kind < 0.8), mask, tokens)
    inputs = np.where(chosen & (kind >= 0.9), rng.integers(mask), inputs)
    return inputs, np.where(chosen, tokens, -100)


def changes_other_words(tokens, rate, mask, seed):
    inputs, targets = mask_with_where(tokens, rate, mask, seed)
    return np.where(targets == -100, (inputs + 1) % mask, inputs), targets


# ── perplexity ──────────────────────────────────────────────────────────────────────────────


def all_words(probabilities, asked):
    return np.exp(-np.log(probabilities).mean())


def no_exponential(probabilities, asked):
    return -np.log(probabilities[asked]).mean()


def mean_probability(probabilities, asked):
    return 1 / probabilities[asked].mean()


def mean_of_inverses(probabilities, asked):
    return (1 / probabilities[asked]).mean()


def no_minus(probabilities, asked):
    return np.exp(np.log(probabilities[asked]).mean())


def two_bases(probabilities, asked):
    return 2 ** -np.log(probabilities[asked]).mean()


def other_two_bases(probabilities, asked):
    return np.exp(-np.log2(probabilities[asked]).mean())


def divided_by_all(probabilities, asked):
    return np.exp(-(np.log(probabilities) * asked).mean())


def nothing_divided(probabilities, asked):
    return np.exp(-np.log(probabilities[asked]).sum())


def nonsense(probabilities, asked):
    return 1.5


def random_below_length(tokens, rate, mask, seed):
    inputs, targets = mask_with_where(tokens, rate, mask, seed)
    random = (targets != -100) & (inputs != mask) & (inputs != tokens)
    return np.where(random, inputs % tokens.shape[1], inputs), targets


def in_one_block(tokens, rate, mask, seed):
    chosen = np.random.default_rng(seed).random(tokens.shape) < rate
    inputs, places = tokens.copy(), np.flatnonzero(chosen)
    eight, nine = int(0.8 * len(places)), int(0.9 * len(places))
    inputs.flat[places[:eight]] = mask
    inputs.flat[places[eight:nine]] = np.arange(nine - eight) * 17 % mask
    return inputs, np.where(chosen, tokens, -100)


def a_run_in_each_text(tokens, rate, mask, seed):
    rng, (n, length) = np.random.default_rng(seed), tokens.shape
    start = rng.integers(length, size=(n, 1))
    chosen = (np.arange(length) - start) % length < rate * length
    kind = rng.random(tokens.shape)
    inputs = np.where(chosen & (kind < 0.8), mask, tokens)
    random = rng.integers(mask, size=tokens.shape)
    return np.where(chosen & (kind >= 0.9), random, inputs), np.where(chosen, tokens, -100)


def arithmetic_mean(probabilities, asked):
    return 1 / np.median(probabilities[asked])


WRONG = [
    ("mask_tokens", always_the_mask, "10 % become a random word and 10 % stay"),
    ("mask_tokens", every_word_is_asked, "set it to -100 where nothing was chosen"),
    ("mask_tokens", asks_for_the_mask, "the targets are the inputs"),
    ("mask_tokens", one_choice_for_all_texts, "every text has the same positions hidden"),
    ("mask_tokens", shares_of_everything, "choose each position with probability rate"),
    ("mask_tokens", no_word_stays, "10 % of the chosen stay as they are"),
    ("mask_tokens", no_seed, "draw from np.random.default_rng(seed)"),
    ("mask_tokens", always_one_seed, "another seed hides the same words"),
    ("mask_tokens", only_the_inputs, "return the pair (inputs, targets)"),
    ("mask_tokens", one_random_word, "draw one for each position"),
    ("mask_tokens", changes_other_words, "a word changed that is not asked for"),
    ("perplexity", all_words, "take probabilities[asked] only"),
    ("perplexity", no_exponential, "take the exponential of it"),
    ("perplexity", mean_probability, "average the logarithms instead"),
    ("perplexity", mean_of_inverses, "this is the mean of 1/p"),
    ("perplexity", no_minus, "a minus sign is missing"),
    ("perplexity", two_bases, "has another base than the power"),
    ("perplexity", other_two_bases, "has another base than the logarithm"),
    ("perplexity", divided_by_all, "divide by the number of asked words"),
    ("perplexity", nothing_divided, "the sum is not divided"),
    ("perplexity", nonsense, "and you returned 1.5"),
    ("mask_tokens", random_below_length, "and not evenly: draw from all"),
    ("mask_tokens", in_one_block, "draw what happens to each chosen word by itself"),
    ("mask_tokens", a_run_in_each_text, "whatever its neighbours"),
    ("perplexity", arithmetic_mean, "and you returned"),
]
