r"""Softmax of independent Gaussian logits: its entropy, how few entries it rests on, and its Jacobian."""

import math
from dataclasses import dataclass

import numpy as np

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.chunks import lazily
from gradtheory.arithmetic.estimates import Estimates
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array, read_count, read_nonnegative_array
from gradtheory.errors import InvalidArgument
from gradtheory.typing import ArrayLike, NumberLike

MOST_VARIANCE = 2500.0
_MOST_TOKENS = 10**9
_REACH = 9.0  # standard deviations, beyond which a normal density is below 1e-18
_STEP = 0.25  # of x and log t: integrands are analytic in a strip of half width π/2, so that exp(-π²/step) is left
_FINER = 0.8
_LARGEST = 40.0  # of log(t·e^x), beyond which exp(-t·e^x) is 0
_BLOCK = 256
_EPSILON = 2.0**-52


@dataclass(frozen=True, eq=False)
class SoftmaxMoments(ShownAsTable):
    """What softmax makes of n independent logits of variance v, on average.

    Attributes
    ----------
    tokens : int
        n.
    variance : float or ndarray
        v. If it is an array, so are the others.
    entropy : Estimate or Estimates
        E[-Σ p·log p], in nats: log n where all weights are alike, 0 where one has all.
    participation : Estimate or Estimates
        E[Σ p²]: 1/n where all weights are alike, 1 where one has all.
    jacobian : Estimate or Estimates
        E‖diag(p) - p·pᵀ‖², the mean square of the Jacobian's entries, summed.

    """

    tokens: int
    variance: float | Array
    entropy: Estimate | Estimates
    participation: Estimate | Estimates
    jacobian: Estimate | Estimates

    @property
    def is_saturated(self) -> bool | np.ndarray:
        """Whether v > 2·log n, beyond which a few logits have nearly all the weight however many there are."""
        return self.variance > 2.0 * math.log(self.tokens)

    def __repr__(self) -> str:
        if np.ndim(self.variance):
            return f"SoftmaxMoments of {self.tokens} tokens, of shape {np.shape(self.variance)}"
        state = "saturated" if self.is_saturated else "not saturated"
        return (
            f"entropy {self.entropy:.6g} of {math.log(self.tokens):.6g}, participation {self.participation:.4g}, "
            f"Jacobian {self.jacobian:.4g}: {state} (numeric)"
        )


@lazily
def softmax(tokens: int, variance: NumberLike | ArrayLike) -> SoftmaxMoments:
    r"""Return the mean entropy, participation and Jacobian of softmax over n independent logits N(0, v).

    With Z = Σ e^x and φ(t) = E[exp(-t·e^x)], 1/Z^k = ∫ t^(k-1)·e^(-tZ) dt/Γ(k) makes every mean a single integral:
    E[Σ p^k] = n/Γ(k)·∫ E[(t·e^x)^k·exp(-t·e^x)]·φ^(n-1) dt/t, and E[log Z] = ∫ (e^-t - φ^n) dt/t. By Stein's identity
    the entropy is E[log Z] - v·(1 - E[Σ p²]). An attention layer with queries and keys of variance 1 in d dimensions
    has v = 1 with the factor 1/√d, and v = d without it.

    Parameters
    ----------
    tokens : int
        n, at least 2.
    variance : number or array_like
        v, from 0 to 2,500.

    Returns
    -------
    SoftmaxMoments

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    References
    ----------
    B. Derrida, "Random-energy model" (1981), for the transition at v = 2·log n; A. Vaswani et al., "Attention is all
    you need" (2017), footnote 4, for 1/√d.

    Examples
    --------
    >>> softmax(1024, 1)  # with the factor 1/√d
    entropy 6.43327 of 6.93147, participation 0.002635, Jacobian 0.002606: not saturated (numeric)
    >>> softmax(1024, [1, 256]).is_saturated  # logits of standard deviation 16
    array([False,  True])

    """
    n = read_count(tokens, "tokens", _MOST_TOKENS)
    if n < 2:
        raise InvalidArgument("tokens", tokens, "must be at least 2: softmax of one logit is 1")
    v = read_nonnegative_array(variance, "variance")
    if not (v <= MOST_VARIANCE).all():
        raise InvalidArgument("variance", variance, f"must be at most {MOST_VARIANCE:g}")
    if not v.ndim:
        return SoftmaxMoments(n, float(v), *mean_softmax(n, float(v)))
    values, places = np.unique(v, return_inverse=True)
    rows = [mean_softmax(n, each) for each in values.tolist()]
    means = np.array(rows).reshape(-1, 3)[places.reshape(v.shape)]
    errors = np.array([[mean.error for mean in row] for row in rows]).reshape(-1, 3)[places.reshape(v.shape)]
    return SoftmaxMoments(n, v, *(Estimates(means[..., kind], errors[..., kind]) for kind in range(3)))


def mean_softmax(n: int, v: float) -> tuple[Estimate, Estimate, Estimate]:
    """Return entropy, participation and Jacobian for n logits N(0, v)."""
    if v == 0.0:
        flat = 1.0 / n
        return Estimate(math.log(n), _EPSILON * 8), Estimate(flat, _EPSILON), Estimate(flat - flat * flat, _EPSILON)
    coarse, fine = _means(n, v, _STEP), _means(n, v, _STEP * _FINER)
    entropy, square, jacobian = map(
        Estimate, fine.tolist(), np.abs(coarse - fine) + 64.0 * _EPSILON * (1.0 + v) * math.log(n)
    )
    return entropy, square, jacobian


def _means(n: int, v: float, step: float) -> Array:
    """Return entropy, participation and Jacobian, by the trapezoidal rule in log t and in x."""
    size = math.sqrt(v)
    reach = _REACH + math.sqrt(2.0 * math.log(n))
    x = np.arange(-reach * size, reach * size, min(step, step * size))
    weights = np.exp(-(x * x) / (2.0 * v))
    weights /= weights.sum()
    y = np.arange(-5.0 - reach * size, math.log(n) + reach * size + 40.0, step)  # y = -log t
    totals = np.zeros(6)
    for part in np.array_split(y, max(1, len(y) // _BLOCK)):
        scaled = np.exp(np.minimum(x - part[:, np.newaxis], _LARGEST))  # t·e^x
        kept = np.exp(-scaled)
        log_phi = np.log1p(np.maximum(np.expm1(-scaled) @ weights, _EPSILON - 1.0))
        g = []
        for _ in range(4):
            kept = kept * scaled
            g.append(kept @ weights)
        rest = np.exp((n - 1) * log_phi)
        totals[0] += np.sum(np.exp(-np.exp(np.minimum(-part, _LARGEST))) - np.exp(n * log_phi))
        totals[1:5] += n * (np.array(g) @ rest) / np.array([1.0, 1.0, 2.0, 6.0])
        totals[5] += n * (n - 1) / 6.0 * np.sum(g[1] ** 2 * np.exp((n - 2) * log_phi))
    log_z, _, square, cube, fourth, squares = totals * step
    return np.array([log_z - v * (1.0 - square), square, square - 2.0 * cube + fourth + squares])
