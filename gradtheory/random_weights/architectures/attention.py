"""Self-attention at initialisation, over tokens of which any two have the same covariance."""

import functools
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array, read_positive_float
from gradtheory.errors import Undecided
from gradtheory.random_weights.architectures.layers import Backward, Block, Layer
from gradtheory.random_weights.architectures.signal import Signal, Step, Variances, by_distance, of_distance
from gradtheory.random_weights.gaussian.interpolated import Interpolated
from gradtheory.random_weights.gaussian.patches import Patches
from gradtheory.random_weights.gaussian.softmax import MOST_VARIANCE, SoftmaxMoments, mean_softmax, softmax
from gradtheory.random_weights.gaussian.softmax_pairs import softmax_pair
from gradtheory.random_weights.simulation.networks import read_common_correlation
from gradtheory.typing import NumberLike


@dataclass(frozen=True, repr=False)
class Attention(Block):
    """z_i' = W_V·Σ_j A_ij·z_j A_i the softmax of the logits of token i."""

    tokens: int
    sigma_q: float
    sigma_k: float
    sigma_v: float
    head_size: int
    scaled: bool
    heads: int

    is_mixed = True

    @property
    def mixes(self) -> int:
        """The number of tokens."""
        return self.tokens

    def __repr__(self) -> str:
        numbers = {name: getattr(self, name) for name in ("sigma_q", "sigma_k", "sigma_v")}
        said = [f"{name}={value:.6g}" for name, value in numbers.items() if value != 1.0]
        without = [] if self.scaled else [f"head_size={self.head_size}", "scaled=False"]
        drawn = [] if self.heads == 1 else [f"heads={self.heads}"]
        return f"attention({', '.join([str(self.tokens), *said, *without, *drawn])})"

    def softmax(self, variance: NumberLike = 1, correlation: NumberLike = 0) -> SoftmaxMoments:
        """Return entropy, participation and Jacobian of a row, for tokens of this variance and correlation.

        Raises
        ------
        InvalidArgument
            If an argument is out of range, or the logits have a variance beyond 2,500.

        """
        q = read_positive_float(variance, "variance")
        c = read_common_correlation(correlation, self.tokens, f"{self.tokens} tokens")
        return softmax(self.tokens, self._logit_scale * q * q * (1.0 - c))

    @property
    def _logit_scale(self) -> float:
        """κ."""
        return (self.sigma_q * self.sigma_k) ** 2 * (1.0 if self.scaled else self.head_size)

    def step(self, signal: Signal, depth: int) -> Step:
        """Return q', p', and what two by two numbers make of the gradients, as `gradtheory.blocks.attention` says."""
        del depth
        q, p, n, size, kappa = *signal, self.tokens, self.sigma_v**2, self._logit_scale
        apart = max(0.0, q - p)
        if kappa * q * apart > MOST_VARIANCE:
            many = f"the logits of attention reach a variance of {kappa * q * apart:.4g}, beyond {MOST_VARIANCE:,.0f}"
            raise Undecided(f"{many}: put a norm before it, or take smaller scales")
        moments = p_row, jacobian, overlap, product = _moments(n, kappa * q * q, signal)
        variance = size * (p + apart * p_row)
        through = kappa * apart
        error = sum(each.error / max(abs(each), 1e-300) for each in moments)
        return Step(
            Signal(variance, size * (p + apart * overlap)),
            size * (p_row + through * (2.0 * q - p) * jacobian),
            size * (1.0 - overlap + through * (q - 2.0 * p) * product),
            error,
            (
                size * (n - 1) * (overlap + through * p * product),
                size / (n - 1) * (1.0 - p_row - through * q * jacobian),
            ),
        )

    def variances(self, q: Array) -> Variances:
        """Say that variances alone do not tell."""
        raise Undecided("the variance behind attention depends on the correlation of tokens")

    def draw(self, rng: np.random.Generator, width: int, depth: int) -> Layer:
        """Return heads with random weights, summed; the columns are sequences of tokens, first tokens first."""
        del depth
        drawn, share = [self._head(rng, width) for _ in range(self.heads)], 1.0 / math.sqrt(self.heads)

        def layer(z: Array) -> tuple[Array, Backward]:
            outs, backs = zip(*(head(z) for head in drawn), strict=True)
            return share * sum(outs), lambda delta: share * sum(back(delta) for back in backs)

        return layer

    def _head(self, rng: np.random.Generator, width: int) -> Layer:
        n, d = self.tokens, self.head_size
        queries, keys = (rng.normal(0.0, each / math.sqrt(width), (d, width)) for each in (self.sigma_q, self.sigma_k))
        values = rng.normal(0.0, self.sigma_v / math.sqrt(width), (width, width))
        scale = 1.0 / math.sqrt(d) if self.scaled else 1.0

        def by_sequence(rows: Array) -> Array:
            return np.moveaxis(rows.reshape(len(rows), n, -1), 2, 0)

        def as_columns(stack: Array) -> Array:
            return np.moveaxis(stack, 0, 2).reshape(stack.shape[1], -1)

        def layer(z: Array) -> tuple[Array, Backward]:
            q, k, v = (by_sequence(each @ z) for each in (queries, keys, values))
            logits = scale * np.swapaxes(q, 1, 2) @ k
            a = np.exp(logits - logits.max(axis=2, keepdims=True))
            a /= a.sum(axis=2, keepdims=True)

            def backward(delta: Array) -> Array:
                by_out = by_sequence(delta)
                by_a = np.swapaxes(by_out, 1, 2) @ v
                by_logits = scale * a * (by_a - np.sum(a * by_a, axis=2, keepdims=True))
                by_q, by_k = k @ np.swapaxes(by_logits, 1, 2), q @ by_logits
                return np.asarray(
                    values.T @ as_columns(by_out @ a) + queries.T @ as_columns(by_q) + keys.T @ as_columns(by_k)
                )

            return as_columns(v @ np.swapaxes(a, 1, 2)), backward

        return layer


class _Moments(NamedTuple):
    participation: Estimate
    jacobian: Estimate
    overlap: Estimate
    product: Estimate


@functools.lru_cache(maxsize=4096)
def _moments(n: int, k: float, signal: Signal) -> _Moments:
    """Return the means of two rows of logits of variance k·(1 - c) and correlation c."""
    if signal.covariance >= signal.variance:
        _, participation, jacobian = mean_softmax(n, 0.0)
        return _Moments(participation, jacobian, participation, jacobian)
    if signal.covariance <= -signal.variance:  # two tokens, one the opposite of the other
        return _Moments(*_means(n, k, -1.0))
    nearby = _around(n).at(math.log(k), math.log(signal.distance)) if k else None
    return _Moments(*(nearby or by_distance(_along(n, k), signal.distance)))


@functools.lru_cache(maxsize=64)
def _along(n: int, k: float) -> Interpolated:
    """Return the means as functions of the distance: behind a norm, k is the same in all layers."""
    return of_distance(functools.partial(_means, n, k))


@functools.lru_cache(maxsize=64)
def _around(n: int) -> Patches:
    """Return the means as functions of log k and of the logarithm of the distance: without a norm, both change."""

    def means(log_k: float, log_distance: float) -> tuple[Estimate, ...]:
        return _means(n, math.exp(log_k), -math.tanh(log_distance / 2.0))

    return Patches(means)


def _means(n: int, k: float, c: float) -> tuple[Estimate, ...]:
    _, participation, jacobian = mean_softmax(n, k * (1.0 - c))
    return participation, jacobian, *softmax_pair(n, k * (1.0 - c), c)
