"""Lesson 02c: labels for free, by hiding words and guessing them.

Two objectives. *Causal* (GPT): guess each word from those before it. *Masked* (BERT): hide some words,
guess them from both sides. Three networks with the same embeddings and the same loss: an LSTM
and a Transformer used causally, and the same Transformer used in both directions.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

KINDS = ("lstm", "gpt", "masked")
WIDTH, CONTEXT, N_WORDS = 128, 64, 7000
IGNORE = -100  # the target of a position that the loss leaves out, as in F.cross_entropy

# ── two objectives ──────────────────────────────────────────────────────────────────────────


def causal_example(tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs and targets of the causal objective: at each position, the next word.

    Parameters
    ----------
    tokens : torch.Tensor, shape (n, length + 1), int64

    Returns
    -------
    inputs, targets : torch.Tensor, shape (n, length)

    References
    ----------
    Radford et al. (2018), "Improving language understanding by generative pre-training", eq. 1.
    """
    return tokens[:, :-1], tokens[:, 1:]


def masked_example(
    tokens: torch.Tensor, rate: float, mask: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs and targets of the masked objective.

    A share `rate` of the positions is chosen. There the target is the word itself, and the input is
    the mask in 80 % of the cases, a random word in 10 %, and the word unchanged in 10 %.

    Parameters
    ----------
    tokens : torch.Tensor, shape (n, length), int64
    rate : float
        Between 0 and 1: 0.15 in the paper; larger for small models (Wettig et al. 2023).
    mask : int
        Number of the mask; words have the numbers below it.
    generator : torch.Generator

    Returns
    -------
    inputs, targets : torch.Tensor, shape (n, length)
        Targets are `IGNORE` where nothing was chosen.

    References
    ----------
    Devlin et al. (2019), "BERT", section 3.1. Wettig et al. (2023), arXiv:2202.08005.
    """
    if not 0 < rate < 1:
        raise ValueError(f"rate is {rate}: hide a share between 0 and 1, such as 0.15.")
    chosen = torch.rand(tokens.shape, generator=generator) < rate
    kind = torch.rand(tokens.shape, generator=generator)
    words = torch.randint(mask, tokens.shape, generator=generator)
    inputs = torch.where(chosen & (kind < 0.8), mask, tokens)
    inputs = torch.where(chosen & (kind >= 0.9), words, inputs)
    return inputs, torch.where(chosen, tokens, IGNORE)


# ── networks ────────────────────────────────────────────────────────────────────────────────


class Attention(nn.Module):
    """Multi-head self-attention (Vaswani et al. 2017, section 3.2), causal or in both directions."""

    def __init__(self, width: int, heads: int, causal: bool):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Map (n, length, width) to the same shape; `real` (n, length) is False at padding."""
        q, k, v = self._split(x)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=self.visible(real))
        return self.out(mixed.transpose(1, 2).flatten(2))

    def weights(self, x: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Return who looks at whom, shape (n, heads, length, length); each row sums to 1."""
        q, k, _ = self._split(x)
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        return scores.masked_fill(~self.visible(real), -torch.inf).softmax(-1)

    def visible(self, real: torch.Tensor) -> torch.Tensor:
        """Return which position (row) may look at which (column), shape (n, 1, length, length)."""
        length = real.shape[1]
        seen = real[:, None, None, :].expand(-1, 1, length, length)
        return seen.tril() if self.causal else seen

    def _split(self, x):
        n, length, _ = x.shape
        return self.qkv(x).view(n, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)


class Block(nn.Module):
    """One Transformer layer, normalised first: attention, then a small network at each position."""

    def __init__(self, width: int, heads: int, causal: bool):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, causal)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Add to each position what it reads elsewhere, and what it computes from it."""
        x = x + self.attention(self.norm1(x), real)
        return x + self.mlp(self.norm2(x))


class LanguageModel(nn.Module):
    """Embeddings, a body that mixes positions, and a softmax that shares the embeddings' weights.

    Parameters
    ----------
    kind : {"lstm", "gpt", "masked"}
    n_words : int
        Size of the vocabulary. Number `n_words` is the mask.

    References
    ----------
    Tied softmax: Press and Wolf (2017), arXiv:1608.05859.
    """

    def __init__(self, kind: str, n_words: int = N_WORDS):
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"unknown kind {kind!r}: choose one of {', '.join(KINDS)}.")
        self.kind, self.mask = kind, n_words
        self.embedding = nn.Embedding(n_words + 1, WIDTH)
        nn.init.normal_(self.embedding.weight, std=0.1)
        if kind == "lstm":
            self.body = nn.LSTM(WIDTH, 2 * WIDTH, batch_first=True)
            self.out = nn.Linear(2 * WIDTH, WIDTH)
        else:
            self.position = nn.Embedding(CONTEXT, WIDTH)
            nn.init.normal_(self.position.weight, std=0.02)
            self.body = nn.ModuleList([Block(WIDTH, 4, kind == "gpt") for _ in range(2)])
            self.out = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WIDTH))
        self.bias = nn.Parameter(torch.zeros(n_words))

    def layers(self, tokens: torch.Tensor, real: torch.Tensor | None = None) -> list[torch.Tensor]:
        """Return the embeddings and the output of each layer, each of shape (n, length, width).

        Parameters
        ----------
        tokens : torch.Tensor, shape (n, length), int64
            At most `CONTEXT` positions.
        real : torch.Tensor, shape (n, length), bool, optional
            False at padding, which must stand at the end.
        """
        found = [self.embedding(tokens)]
        if self.kind == "lstm":
            return [*found, self.body(found[0])[0]]
        real = torch.ones_like(tokens, dtype=torch.bool) if real is None else real
        x = found[0] + self.position.weight[: tokens.shape[1]]
        for block in self.body:
            x = block(x, real)
            found.append(x)
        return found

    @torch.no_grad()
    def attention(self, tokens: torch.Tensor) -> list[np.ndarray]:
        """Return who looks at whom in one text, by layer: mean over heads, (length, length).

        Parameters
        ----------
        tokens : torch.Tensor, shape (1, length), int64
            Only for a Transformer.
        """
        real = torch.ones_like(tokens, dtype=torch.bool)
        inputs = self.layers(tokens)[:-1]
        inputs[0] = inputs[0] + self.position.weight[: tokens.shape[1]]
        pairs = zip(self.body, inputs, strict=True)
        return [b.attention.weights(b.norm1(x), real)[0].mean(0).numpy() for b, x in pairs]

    def scores(self, state: torch.Tensor) -> torch.Tensor:
        """Return the score of every word, shape (..., n_words), from the last layer's state."""
        return self.out(state) @ self.embedding.weight[: self.mask].T + self.bias


def loss(model: LanguageModel, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy, in nats, over the positions whose target is not `IGNORE`."""
    asked = targets != IGNORE
    return F.cross_entropy(model.scores(model.layers(inputs)[-1][asked]), targets[asked])


def example(model: LanguageModel, tokens, generator, rate: float = 0.4, share: float = 1.0):
    """Return inputs and targets of the model's own objective, from windows of CONTEXT + 1 words.

    A causal model is asked for a random `share` of the words, a masked one for `rate`.
    """
    if model.kind == "masked":
        return masked_example(tokens[:, :-1], rate, model.mask, generator)
    inputs, targets = causal_example(tokens)
    asked = torch.rand(targets.shape, generator=generator) < share
    return inputs, torch.where(asked, targets, IGNORE)
