r"""Weight decay: how much of it keeps every weight of a chain, or a network, below its critical weight, for ever.

Let |σ_l'| ≤ s_l and |σ_l| ≤ A_l, let A_0 be the greatest |x|, and G = Σ_i sup_z |∂C(σ_L(z), y_i)/∂z|. By the chain rule

    |∂C/∂w_l| ≤ G · A_{l-1} · Π_{k=l+1}^{L} |w_k|·s_{k-1}.

With the critical weights W_l = c/s_l put in for |w_k|, let the right side be B_l. Then, biases being anything:

- L2, λ > max B_l/W_l. Where the gradient of C + ½λ‖w‖² by the weights is 0, λ·|w_L| ≤ B_L < λ·W_L, then
  λ·|w_{L-1}| < λ·W_{L-1}, and so down to the first layer. Gradient descent with η·λ ≤ 1 that starts with all
  |w_l| ≤ W_l stays there: |w_l - η·(∂C/∂w_l + λ·w_l)| ≤ (1 - η·λ)·W_l + η·B_l ≤ W_l.
  With momentum β, from velocity 0, the weight is a sum of past gradients with the impulse response of the iteration
  w, v: if its roots are real, the response has one sign and adds up to 1/λ, and what is left of the start to 1 less
  λ times its sum so far. So |w_l| ≤ W_l again: for the heavy ball if η·λ ≤ (1 - √β)², for Nesterov if
  η·λ ≤ ((1 - β)/(1 + β))². RMSprop and Adam divide the decay by the root of the gradients' mean square, and obey no
  such bound.
- L1, λ > max B_l. Where 0 is a subgradient of C + λ·Σ|w_l|, w_L = 0, since |∂C/∂w_L| < λ; so every gradient, and every
  weight, is 0. Proximal gradient descent stays within the W_l: the soft threshold takes η·λ ≥ η·B_l off.
- Decoupled, as AdamW: |w_l| ← (1 - η·λ)·|w_l| + η·U at most, where U bounds Adam's step, whatever the loss.

For a network of dense layers in a row |w| is the spectral norm ‖W‖, and B_l that of `gradient_bounds.py`; the proofs of
L2 and of decoupled decay use nothing but that |w| is a norm, and that a step of entries of at most U has a norm of at
most U·√(n_l·n_{l-1}). Soft thresholds act on entries, so that L1 is for single neurons.

Numbers are rounded to the safe side, and λ so far up (1e-12) that the roundings of a step in float64 are outweighed.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import sympy

from gradtheory.arithmetic.brief import ShownAsTable, downward, upward
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.enclosure import order
from gradtheory.arithmetic.inputs import (
    Array,
    read_array,
    read_nonnegative_float,
    read_positive,
    read_positive_float,
)
from gradtheory.chains.chain import Chain
from gradtheory.errors import InvalidArgument
from gradtheory.explosion import critical_weight
from gradtheory.networks import Network
from gradtheory.networks.either import read_either
from gradtheory.networks.losses import MEANS
from gradtheory.training.optimisers.optimiser import Optimiser, read_optimiser
from gradtheory.training.remedies.adam_step_bound import adam_step_bound, least_epsilon
from gradtheory.training.remedies.gradient_bounds import ROUNDING, finite_slope, largest_gradients
from gradtheory.training.remedies.rounding import rounded_down
from gradtheory.typing import ArrayLike, NumberLike

_KINDS = ("l2", "l1", "decoupled")
_PROVEN = {
    "l2": "gradient_descent, heavy_ball or nesterov",
    "l1": "gradient_descent",
    "decoupled": "an adamw(...)",
}
_LARGEST_THRESHOLD = sympy.Integer(10) ** 100
_REST = "the run begins at rest, as `Optimiser.start` does"
_BIASES = "biases may be anything, and move in any way"
_OUTWEIGHED = 1e-12  # of λ


@dataclass(frozen=True, eq=False)
class WeightDecayBound(ShownAsTable):
    """The weight decay above which all weights stay below their critical weights.

    Attributes
    ----------
    kind : str
        "l2", "l1" or "decoupled".
    weight_decay : float
        Every λ above it keeps them.
    critical_weights : ndarray of shape (L,)
        W_l = c/sup|σ_l'|, for |w_l| or ‖W_l‖.
    gradient_bounds : ndarray of shape (L,)
        B_l, which |∂C/∂w_l|, or its spectral norm, does not exceed while every |w_k| ≤ W_k; for "decoupled" that of the
        step.
    largest_product : float
        η·λ may be that much; inf for "l1".
    conditions : tuple of str
        Under which it is proven, each in words; `print` shows them.

    """

    kind: str
    weight_decay: float
    critical_weights: Array
    gradient_bounds: Array
    largest_product: float
    conditions: tuple[str, ...]

    def __repr__(self) -> str:
        layers = f"{len(self.critical_weights)} layers below their critical weights"
        return f"WeightDecayBound({self.kind}: any weight decay above {upward(self.weight_decay)} keeps {layers})"

    def __str__(self) -> str:
        least = upward(self.weight_decay)
        first = f"{self.kind}: any weight decay above {least} keeps |w_l| <= {self.critical_weights}, if"
        return "\n".join([first, *(f"- {each}" for each in self.conditions)])

    def weight_bounds(self, weight_decay: float) -> Array:
        """Return bounds of |w_l| that hold at every stationary point, and for ever if they hold at the start.

        Parameters
        ----------
        weight_decay : float
            λ, above `.weight_decay`.

        Raises
        ------
        InvalidArgument
            If λ is not above it.

        """
        decay = read_positive_float(weight_decay, "weight_decay")
        if decay <= self.weight_decay:
            raise InvalidArgument("weight_decay", weight_decay, f"must be above {upward(self.weight_decay)}")
        if self.kind == "l1":
            return np.zeros_like(self.critical_weights)
        bounds = np.empty_like(self.critical_weights)
        shrunk = 1.0  # by how much smaller the product of the weights behind is than that of their critical weights
        for layer in range(len(bounds) - 1, -1, -1):
            bounds[layer] = self.gradient_bounds[layer] * shrunk / decay
            if self.kind == "l2":
                shrunk *= bounds[layer] / self.critical_weights[layer]
        return bounds * (1.0 + ROUNDING * len(bounds))

    def largest_step(self, weight_decay: float) -> float:
        """Return the learning rate up to which the weights stay within their bounds, 1/λ without momentum."""
        decay = read_positive_float(weight_decay, "weight_decay")
        return math.nextafter(self.largest_product / decay, 0.0) if math.isfinite(self.largest_product) else math.inf


def weight_decay_guarantee(
    network: Chain | Network,
    x: ArrayLike,
    y: ArrayLike,
    *,
    kind: str = "l2",
    optimiser: Optimiser | None = None,
    threshold: NumberLike = 1,
) -> WeightDecayBound:
    """Return the weight decay above which training keeps every factor |σ'(z)·w| of a chain at or below a threshold.

    It holds at every input, for any biases, moved in any way, for chains and networks that start at or below their
    critical weights; of a network the factor is ‖diag(σ'(z))·W‖, and weights are spectral norms. What else it supposes,
    such as η·λ ≤ 1, stands in the `.conditions` of the answer.

    Parameters
    ----------
    network : Chain or Network
        A chain of a concrete depth, or dense layers in a row, whose weights are not looked at. Activations and their
        slopes are bounded; that at the end of a network may be unbounded before a loss of logits.
    x, y : array_like
        Inputs and targets: of one batch shape for a chain, as for `Network.backprop` otherwise.
    kind : {"l2", "l1", "decoupled"}
        Which penalty; the module's documentation states what each guarantees, with the proof.
    optimiser : Optimiser, optional
        For "l2": `gradient_descent`, which is meant unless another is given, `heavy_ball` or `nesterov`. For "l1":
        `gradient_descent`, and one neuron per layer. For "decoupled", where it must be given: an `adamw`, whose decays
        bound its step.
    threshold : number
        c, positive.

    Raises
    ------
    InvalidArgument
        If an activation is unbounded or has an unbounded slope, so that no decay is enough for every bias; if the loss
        is cross entropy after another activation than sigmoid; if nothing is proven of the optimiser with that kind of
        decay; or if an argument is out of range, or gradients may exceed float64.
    Undecided
        If the slope of your own expression cannot be analysed, as for sin(z)·exp(-z²/4).

    Notes
    -----
    The bound is attained in a chain of one layer whose bias is held where the output's gradient is greatest. In deeper
    chains it also supposes activations and slopes at their greatest, all at once, and is then loose.

    Examples
    --------
    >>> bound = weight_decay_guarantee(Chain(depth=3), x=[-1.0, 1.0], y=[0.0, 1.0])
    >>> bound
    WeightDecayBound(l2: any weight decay above 0.0740742 keeps 3 layers below their critical weights)
    >>> round(bound.weight_decay, 6), bound.critical_weights
    (0.074074, array([4., 4., 4.]))
    >>> bound.weight_bounds(0.1).round(4)
    array([1.2043, 2.1948, 2.963 ])
    >>> print(bound.conditions[0])
    steps w ← w - η·(∂C/∂w + λ·w) of gradient descent, with η·λ ≤ 1

    """
    one_of(kind, "kind", _KINDS)
    network = read_either(network)
    widths = _widths(network, kind)
    product, conditions = _dynamics(kind, optimiser)
    c = read_positive(threshold, "threshold")
    if order(c, _LARGEST_THRESHOLD) > 0 or order(c * _LARGEST_THRESHOLD, sympy.S.One) < 0:
        raise InvalidArgument("threshold", threshold, "must be from 1e-100 to 1e100: beyond, bounds leave float64")
    records = network.layer_activations
    slopes = np.array([finite_slope(each) for each in records])
    critical = np.array([rounded_down(critical_weight(each, threshold=c)) for each in records])
    if kind == "decoupled":
        fans = np.array([n_in * n_out for n_in, n_out in itertools.pairwise(widths)], dtype=float)
        bounds = adam_step_bound(read_optimiser(optimiser)) * np.sqrt(fans) * np.where(fans > 1.0, 1.0 + ROUNDING, 1.0)
        needed = bounds / critical
    else:
        bounds = largest_gradients(network, x, y, critical, slopes)
        needed = bounds if kind == "l1" else bounds / critical
        what = "mean" if network.loss in MEANS and network.loss != "mse_sum" else "sum"
        conditions += (f"the loss C is the {what} over these samples, or in each step over some of them",)
    decay = float(needed.max()) * (1.0 + _OUTWEIGHED)
    weight = "|w_l|" if max(widths) == 1 else "‖W_l‖"
    start = f"λ > {upward(decay)}, and {weight} ≤ {c}/sup|σ_l'| in every layer at the start"
    return WeightDecayBound(kind, decay, critical, bounds, product, (conditions[0], start, *conditions[1:], _BIASES))


def _widths(network: Chain | Network, kind: str) -> tuple[int, ...]:
    if not isinstance(network, Network):
        return (1,) * (len(network.layer_activations) + 1)
    if not network.is_plain:
        raise InvalidArgument("network", network, "must be dense layers in a row")
    if kind == "l1" and max(network.widths) > 1:
        raise InvalidArgument("kind", kind, "must be 'l2' or 'decoupled' for layers of more than one neuron")
    return tuple(network.widths)


def _dynamics(kind: str, optimiser: Optimiser | None) -> tuple[float, tuple[str, ...]]:
    """Return the greatest η·λ with which a bound is proven for an optimiser, and its conditions in words."""
    name = "gradient_descent" if optimiser is None else read_optimiser(optimiser).name
    beta = 0.0 if optimiser is None else optimiser.beta
    if optimiser is not None and (optimiser.dampening or optimiser.is_fully_decoupled):
        name = repr(optimiser)
    match kind, name:
        case "l2", "gradient_descent":
            return 1.0, ("steps w ← w - η·(∂C/∂w + λ·w) of gradient descent, with η·λ ≤ 1",)
        case "l2", "heavy_ball":
            most = (1.0 - math.sqrt(beta)) ** 2
            return _down(most), (
                f"steps of the heavy ball, λ·w being part of the gradient, with a fixed η, η·λ ≤ {downward(most)}",
                _REST,
            )
        case "l2", "nesterov":
            most = ((1.0 - beta) / (1.0 + beta)) ** 2
            return _down(most), (
                f"steps of Nesterov, λ·w being part of the gradient, with a fixed η, η·λ ≤ {downward(most)}",
                _REST,
            )
        case "l1", "gradient_descent":
            return math.inf, ("steps of gradient descent, each followed by a soft threshold of η·λ",)
        case "decoupled", "adamw" if optimiser is not None:
            least = least_epsilon(optimiser)
            return 1.0, (f"steps of {optimiser}, with any η·λ ≤ 1 and any ε ≥ {upward(least, 3)}", _REST)
    raise InvalidArgument(
        "optimiser", optimiser, f"must be {_PROVEN[kind]} for kind={kind!r}: of others nothing is proven"
    )


def _down(product: float) -> float:
    return max(product * (1.0 - 1e-12), 0.0)


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
