"""Right answers to the exercises of lesson 02b on language models."""

import math

import numpy as np
import torch


def mask_with_where(tokens, rate, mask, seed):
    rng = np.random.default_rng(seed)
    chosen, kind = rng.random(tokens.shape) < rate, rng.random(tokens.shape)
    inputs = np.where(chosen & (kind < 0.8), mask, tokens)
    inputs = np.where(chosen & (kind >= 0.9), rng.integers(mask, size=tokens.shape), inputs)
    return inputs, np.where(chosen, tokens, -100)


def mask_by_loop(tokens, rate, mask, seed):
    rng = np.random.default_rng(seed)
    inputs, targets = tokens.copy(), np.full(tokens.shape, -100)
    for place in np.ndindex(tokens.shape):
        if rng.random() < rate:
            targets[place] = tokens[place]
            inputs[place] = rng.choice([mask, rng.integers(mask), tokens[place]], p=[0.8, 0.1, 0.1])
    return inputs, targets


def mask_with_torch(tokens, rate, mask, seed):
    generator = torch.Generator().manual_seed(seed)
    words = torch.as_tensor(tokens)
    draw = torch.rand(words.shape, generator=generator)
    random = torch.randint(mask, words.shape, generator=generator)
    inputs = torch.where(draw < 0.8 * rate, torch.tensor(mask), words)
    inputs = torch.where((draw >= 0.8 * rate) & (draw < 0.9 * rate), random, inputs)
    return [inputs, torch.where(draw < rate, words, torch.tensor(-100))]


def mask_in_torch_alone(tokens, rate, mask, seed):
    generator = torch.Generator().manual_seed(seed)
    draw, kind = torch.rand(2, *tokens.shape, generator=generator)
    inputs, targets, chosen = tokens.clone(), tokens.clone(), draw < rate
    inputs[chosen & (kind < 0.8)] = mask
    other = chosen & (kind >= 0.9)
    inputs[other] = torch.randint(mask, (int(other.sum()),), generator=generator)
    return inputs, targets.masked_fill(~chosen, -100)


def perplexity_with_numpy(probabilities, asked):
    return np.exp(-np.log(probabilities[asked]).mean())


def perplexity_as_a_root(probabilities, asked):
    p = probabilities[asked]
    return math.prod(1 / p) ** (1 / len(p))


def perplexity_in_bits(probabilities, asked):
    return 2 ** torch.tensor(-np.log2(probabilities[asked])).mean()


RIGHT = [
    ("mask_tokens", mask_with_where),
    ("mask_tokens", mask_by_loop),
    ("mask_tokens", mask_with_torch),
    ("mask_tokens", mask_in_torch_alone),
    ("perplexity", perplexity_with_numpy),
    ("perplexity", perplexity_as_a_root),
    ("perplexity", perplexity_in_bits),
]
