r"""Weight decay: how much of it keeps every weight of a chain below its critical weight, for ever.

Let |σ_l'| ≤ s_l and |σ_l| ≤ A_l, let A_0 be the greatest |x|, and G = Σ_i sup_z |∂C(σ_L(z), y_i)/∂z|. By the chain rule

    |∂C/∂w_l| ≤ G · A_{l-1} · Π_{k=l+1}^{L} |w_k|·s_{k-1}.

With the critical weights W_l = c/s_l put in for |w_k|, let the right side be B_l. Then, biases being anything:

- L2, λ > max B_l/W_l. Where the gradient of C + ½λ‖w‖² by the weights is 0, λ·|w_L| ≤ B_L < λ·W_L, then
  λ·|w_{L-1}| < λ·W_{L-1}, and so down to the first layer. Gradient descent with η·λ ≤ 1 that starts with all
  |w_l| ≤ W_l stays there: |w_l - η·(∂C/∂w_l + λ·w_l)| ≤ (1 - η·λ)·W_l + η·B_l ≤ W_l.
- L1, λ > max B_l. Where 0 is a subgradient of C + λ·Σ|w_l|, w_L = 0, since |∂C/∂w_L| < λ; so every gradient, and every
  weight, is 0. Proximal gradient descent stays within the W_l: the soft threshold takes η·λ ≥ η·B_l off.
- Decoupled, as AdamW: |w_l| ← (1 - η·λ)·|w_l| + η·U at most, where U bounds Adam's step, whatever the loss.
"""

import math
from dataclasses import dataclass

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import (
    Array,
    one_of,
    read_array,
    read_nonnegative_float,
    read_positive,
    read_positive_float,
    read_samples,
)
from gradtheory.chains.chain import Chain
from gradtheory.errors import InvalidArgument
from gradtheory.explosion import critical_weight, largest_value
from gradtheory.training.optimiser import Optimiser
from gradtheory.training.remedies.output_gradient import largest_output_gradient, rounded_up
from gradtheory.typing import ArrayLike, NumberLike

_KINDS = ("l2", "l1", "decoupled")
_HOPELESS = "whatever the decay, some bias makes its gradient too large; take a bounded one, or clip"


@dataclass(frozen=True)
class WeightDecayBound:
    """The weight decay above which all weights of a chain stay below their critical weights.

    Attributes
    ----------
    kind : str
        "l2", "l1" or "decoupled".
    weight_decay : float
        Every λ above it keeps them.
    critical_weights : ndarray of shape (L,)
        W_l = c/sup|σ_l'|.
    gradient_bounds : ndarray of shape (L,)
        B_l, which |∂C/∂w_l| does not exceed while every |w_k| ≤ W_k; for "decoupled" that of the step, U.

    """

    kind: str
    weight_decay: float
    critical_weights: Array
    gradient_bounds: Array

    def __repr__(self) -> str:
        layers = f"{len(self.critical_weights)} layers below their critical weights"
        return f"WeightDecayBound({self.kind}: any weight decay above {self.weight_decay:.6g} keeps {layers})"

    def weight_bounds(self, weight_decay: float) -> Array:
        """Return bounds of |w_l| that hold at every stationary point, and for ever once they hold, for this λ.

        Parameters
        ----------
        weight_decay : float
            λ, above `.weight_decay`.

        """
        decay = read_positive_float(weight_decay, "weight_decay")
        if decay <= self.weight_decay:
            raise InvalidArgument("weight_decay", weight_decay, f"must be above {self.weight_decay:.6g}")
        if self.kind == "l1":
            return np.zeros_like(self.critical_weights)
        bounds = np.empty_like(self.critical_weights)
        shrunk = 1.0  # by how much smaller the product of the weights behind is than that of their critical weights
        for layer in range(len(bounds) - 1, -1, -1):
            bounds[layer] = self.gradient_bounds[layer] * shrunk / decay
            if self.kind == "l2":
                shrunk *= bounds[layer] / self.critical_weights[layer]
        return bounds

    def largest_step(self, weight_decay: float) -> float:
        """Return 1/λ: the learning rate up to which the weights stay within their bounds."""
        return math.inf if self.kind == "l1" else 1.0 / read_positive_float(weight_decay, "weight_decay")


def weight_decay_guarantee(
    chain: Chain,
    x: ArrayLike,
    y: ArrayLike,
    *,
    kind: str = "l2",
    optimiser: Optimiser | None = None,
    threshold: NumberLike = 1,
) -> WeightDecayBound:
    """Return the weight decay above which training keeps every factor |σ'(z)·w| of a chain at or below a threshold.

    It holds at every input, for any biases, for chains that start at or below their critical weights.

    Parameters
    ----------
    chain : Chain
        Of a concrete depth, with bounded activations of bounded slope; the loss is the sum over the samples.
    x, y : array_like
        Inputs and targets, of one batch shape.
    kind : {"l2", "l1", "decoupled"}
        Which penalty; the module's documentation states what each guarantees, with the proof.
    optimiser : Optimiser, optional
        For "decoupled": an `adamw`, whose decays bound its step.
    threshold : number
        c, positive.

    Raises
    ------
    InvalidArgument
        If an activation is unbounded or has an unbounded slope, so that no decay is enough for every bias; if the loss
        is cross entropy after another activation than sigmoid; if `kind` is "decoupled" and `optimiser` no `adamw`; or
        if an argument is out of range.

    Notes
    -----
    The bound is attained in a chain of one layer whose bias is held where the output's gradient is greatest. In deeper
    chains it also supposes activations and slopes at their greatest, all at once, and is then loose.

    Examples
    --------
    >>> bound = weight_decay_guarantee(Chain(depth=3), x=[-1.0, 1.0], y=[0.0, 1.0])
    >>> bound
    WeightDecayBound(l2: any weight decay above 0.0740741 keeps 3 layers below their critical weights)
    >>> round(bound.weight_decay, 6), bound.critical_weights
    (0.074074, array([4., 4., 4.]))
    >>> bound.weight_bounds(0.1).round(4)
    array([1.2043, 2.1948, 2.963 ])

    """
    one_of(kind, "kind", _KINDS)
    c = read_positive(threshold, "threshold")
    slopes = np.array([_finite_slope(each) for each in chain.layer_activations])
    critical = np.array([float(critical_weight(each, threshold=c)) for each in chain.layer_activations])
    if kind == "decoupled":
        if optimiser is None or not optimiser.rule.is_decoupled:
            raise InvalidArgument("optimiser", optimiser, "must be an adamw(...) for decoupled weight decay")
        bounds = np.full(len(critical), adam_step_bound(optimiser))
        return WeightDecayBound(kind, float(np.max(bounds / critical)), critical, bounds)
    inputs, targets = read_samples(x, y)
    values = [float(np.abs(inputs).max(initial=0.0)), *map(_bounded, chain.layer_activations)]
    behind = critical[1:] * slopes[:-1]
    products = np.append(np.cumprod(behind[::-1])[::-1], 1.0)
    bounds = largest_output_gradient(chain, targets) * np.array(values[:-1]) * products
    needed = bounds if kind == "l1" else bounds / critical
    return WeightDecayBound(kind, float(needed.max()), critical, bounds)


def adam_step_bound(optimiser: Optimiser) -> float:
    r"""Return a bound of every entry of a step of Adam, in units of η.

    By Cauchy and Schwarz |m| ≤ (1 - β)·√(Σ (β²/β₂)ⁱ)·√(Σ β₂ⁱ·g²), so that after t steps |m̂|/√ŝ is at most
    (1 - β)·√(1 - β₂ᵗ)·√(Σ_{i<t} (β²/β₂)ⁱ)/((1 - βᵗ)·√(1 - β₂)); the greatest of these over t is returned.

    Parameters
    ----------
    optimiser : Optimiser
        An `adam` or `adamw` with β² < β₂.

    Raises
    ------
    InvalidArgument
        If β² ≥ β₂, where steps have no bound, or the optimiser is not adaptive.

    References
    ----------
    D. Kingma & J. Ba, "Adam" (2015), section 2.1, who state the limits for one gradient and for steady ones.

    Examples
    --------
    >>> from gradtheory.training.optimisers import adamw
    >>> round(adam_step_bound(adamw(beta=0.9, beta2=0.999)), 6)
    7.270292

    """
    beta, beta2 = optimiser.beta, optimiser.beta2
    if not beta * beta < beta2:  # nor for nan, where there is no β₂
        raise InvalidArgument("optimiser", optimiser, "must have beta² < beta2; else Adam's steps have no bound")
    ratio = beta * beta / beta2
    steps = np.arange(1.0, 1.0 + min(1e6, math.ceil(40.0 / -math.log(max(beta2, beta, 0.5)))))
    sums = (1.0 - ratio**steps) / (1.0 - ratio)
    sizes = np.sqrt((1.0 - beta2**steps) * sums) / (1.0 - beta**steps)
    forever = 1.0 / math.sqrt(1.0 - ratio)
    return (1.0 - beta) / math.sqrt(1.0 - beta2) * max(float(sizes.max()), forever)


def soft_threshold(weights: ArrayLike, amount: float) -> Array:
    """Return weights moved towards 0 by an amount, but not past it: the proximal step of an L1 penalty.

    Parameters
    ----------
    weights : array_like
        The weights before.
    amount : float
        η·λ, not negative.

    Returns
    -------
    ndarray
        Of the weights' shape.

    Raises
    ------
    InvalidArgument
        If the weights are not an array of real numbers, or the amount is negative.

    References
    ----------
    N. Parikh & S. Boyd, "Proximal algorithms" (2014), section 6.5.2.

    Examples
    --------
    >>> soft_threshold([2.0, -0.3, 0.0], 0.5)
    array([1.5, 0. , 0. ])

    """
    array, least = read_array(weights, "weights"), read_nonnegative_float(amount, "amount")
    return np.sign(array) * np.maximum(np.abs(array) - least, 0.0) + 0.0


def _bounded(record: Activation) -> float:
    value = rounded_up(largest_value(record))
    if math.isinf(value):
        raise InvalidArgument("activation", record.name, f"is unbounded: {_HOPELESS}")
    return value


def _finite_slope(record: Activation) -> float:
    if record.steepest_slope.is_infinite:
        raise InvalidArgument("activation", record.name, f"has an unbounded slope: {_HOPELESS}")
    return float(record.steepest_slope)
