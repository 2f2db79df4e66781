"""What to multiply weights by, so that a layer keeps the size of activations, or of gradients."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.chunks import lazily
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.enclosure import nearest, precision
from gradtheory.arithmetic.estimates import Estimates, estimated
from gradtheory.arithmetic.guarantee import Estimate, Guarantee
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.gaussian import moment
from gradtheory.random_weights.gaussian.second_moments import BITS, METHODS, constant_there, proven_moment
from gradtheory.typing import ActivationLike, ArrayLike, NumberLike

_EPSILON = 2.0**-52


@dataclass(frozen=True)
class Gain(ShownAsTable):
    """What to multiply a standard deviation of 1/√fan_in by, so that one layer keeps a second moment.

    Attributes
    ----------
    forward : Estimate or Estimates
        1/√E[σ(√q z)²]: activations keep mean square 1.
    backward : Estimate or Estimates
        1/√E[σ'(√q z)²]: gradients keep their mean square.

    """

    forward: Any
    backward: Any


@lazily
def gain(
    activation: ActivationLike, q: NumberLike | ArrayLike = 1, *, method: str = "auto", effort: float = EFFORT
) -> Gain:
    r"""Return the exact gains of an activation at variance q.

    `torch.nn.init.calculate_gain` returns one number per activation; most are neither of these (see the audit in the
    documentation).

    Parameters
    ----------
    activation, q, method, effort
        As for `variance_map`.

    Raises
    ------
    InvalidArgument
        If q is not positive, or a moment diverges or is zero.

    Examples
    --------
    >>> round(gain("tanh").forward, 12), round(gain("relu").backward, 12)
    (1.592537419723, 1.414213562373)

    """
    record = as_activation(activation)
    inverse_root = _proven_inverse_root if one_of(method, "method", METHODS) == "certified" else _inverse_root
    return Gain(*(inverse_root(record, q, of) for of in ("value", "slope")))


def _inverse_root(record: Activation, q: NumberLike | ArrayLike, of: str) -> Estimate | Estimates:
    second_moment = moment(record, q, of=of)
    value, error = np.asarray(second_moment), second_moment.error
    if not np.all(value > error):
        raise InvalidArgument("q", q, constant_there(record))
    root = value**-0.5
    return estimated(root, (value - error) ** -0.5 - root + 4 * _EPSILON * root)


def _proven_inverse_root(record: Activation, q: NumberLike | ArrayLike, of: str) -> Estimate:
    ball = proven_moment(record, q, of)
    if not ball > 0:
        raise InvalidArgument("q", q, constant_there(record))
    with precision(BITS):
        return Estimate(*nearest(1 / ball.sqrt()), Guarantee.CERTIFIED)
