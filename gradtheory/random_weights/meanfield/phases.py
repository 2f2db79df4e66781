"""What gradients do in the end, from where the variance starts: the phases of wide layers."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.chunks import lazily
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.estimates import Estimates, estimated
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array, broadcast, read_array, read_nonnegative_array, read_positive_array
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.meanfield.origin import Origin
from gradtheory.random_weights.meanfield.tables import GRID, Moments, moment_table
from gradtheory.typing import ActivationLike, ArrayLike, NumberLike

_LOG_Q = np.log(GRID)
_BISECTIONS = 40
_FIRST_LAYERS = 30
_DIVERGES = 1e3  # the excess where the variance exceeds float64
_SAFETY, _LEAST_ERROR = 4.0, 1e-7  # times what two tables differ by, which may vanish by chance; and of χ₁
_DECADE = 5  # rows of the table of which every second is taken
_LEAST_GROWTH = 1e-5  # of log χ₁, as far as it is interpolated


@lazily
def settled_chi(
    activation: ActivationLike,
    sigma_w: NumberLike | ArrayLike,
    sigma_b: NumberLike | ArrayLike = 0.0,
    *,
    q: NumberLike | ArrayLike | None = None,
    effort: float = EFFORT,
) -> Estimate | Estimates:
    r"""Return χ₁ after many layers: gradients vanish with depth where it is below 1, and explode where it is above.

    After 30 layers the variance tends to the next fixed point on the side to which it moves, so that it depends on the
    start where there are several. Between ten tabulated variances a decade moments are interpolated, to about
    1e-5: for pictures of many scales. The error is four times what five a decade differ by; it is large beside an
    unstable fixed point, where the start is on either side. `fixed_points` has the numbers of one.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation.
    sigma_w, sigma_b : number or array_like
        The standard deviations of weights (times √fan_in) and biases.
    q : number or array_like, optional
        The variance of the first pre-activations, from 0 (very small ones) to inf (very large ones); σ_w² + σ_b², that
        of inputs of mean square 1, by default.
    effort : float
        How much work each number may take of an expression of your own, about seconds of it, counted in operations.

    Returns
    -------
    Estimate or Estimates
        A float with its error; for arrays an array of the common shape of the arguments with errors.

    Raises
    ------
    InvalidArgument
        If the activation is unknown, σ_w is not positive, or σ_b or q is negative.

    Examples
    --------
    >>> settled_chi("gelu", 1.8, 0.05, q=[0.1, 0.2]).round(3)  # on either side of the unstable fixed point 0.136
    array([0.84, 1.62])

    """
    record = as_activation(activation)
    weight, bias = broadcast(
        sigma_w=read_positive_array(sigma_w, "sigma_w"), sigma_b=read_nonnegative_array(sigma_b, "sigma_b")
    )
    with np.errstate(over="ignore"):
        start = weight**2 + bias**2 if q is None else read_array(q, "q")
    if not (start >= 0.0).all():
        raise InvalidArgument("q", q, "must not be negative, such as 0, 1 or inf")
    scales = broadcast(sigma_w=weight, sigma_b=bias, q=start)
    weights, biases, starts = (each.reshape(-1) for each in scales)
    fine, coarse = (_mean_square_slope(record, weights, biases, starts, every) for every in (1, 2))
    with np.errstate(over="ignore", invalid="ignore"):
        value, error = (weights**2 * each for each in (fine, _SAFETY * np.abs(fine - coarse) + _LEAST_ERROR * fine))
    return estimated(value.reshape(scales[0].shape), error.reshape(scales[0].shape))


def phases_over(activation: ActivationLike, sigma_w: Array, sigma_b: Array) -> tuple[Array, Array]:
    """Return the phases over arrays of scales, and where gradients of inputs of mean square 1 explode.

    A phase is 0 where gradients vanish, 1 where they explode, and 2 where the start decides.
    """
    growths = (settled_chi(activation, sigma_w, sigma_b, q=start) for start in (0.0, np.inf, None))
    small, large, usual = (np.log(np.maximum(each, 1e-300)) > _LEAST_GROWTH for each in growths)
    return np.where(small == large, np.where(small, 1, 0), 2), np.where(small == large, small, usual)


def _mean_square_slope(record: Activation, sigma_w: Array, sigma_b: Array, start: Array, every: int) -> Array:
    """Return E[σ'²] at the variances that are reached from `start`, by one of so many rows of the table."""
    table, log_q = Moments(*(each[::every] for each in moment_table(record))), _LOG_Q[::every]
    reached = _settled(sigma_w, sigma_b, start, table, log_q)
    slope = np.exp(_log_slope(table.slope, log_q, _DECADE * (every - 1))(reached))
    return np.where(reached == -np.inf, Origin.of(record).mean_square_slope, slope)


def _log_slope(slope: Array, nodes: Array, inset: int) -> Callable[[Array], Array]:
    """Return log E[σ'²] as a function of log q; beyond the table that so far within; -inf where E[σ'²] is 0."""
    usable = np.isfinite(slope) & (slope > 0.0)
    if usable.sum() < 2:  # a spline needs two
        return lambda log_q: np.full(np.shape(log_q), -np.inf)
    inset = min(inset, int(usable.sum()) // 2 - 1)
    ends = nodes[usable][[inset, -1 - inset]]
    spline = CubicSpline(nodes[usable], np.log(slope[usable]))
    return lambda log_q: np.asarray(spline(np.clip(log_q, *ends)))


def _settled(sigma_w: Array, sigma_b: Array, start: Array, table: Moments, nodes: Array) -> Array:
    """Return the logarithms of the variances that are reached from `start`; -inf or inf beyond the table."""
    with np.errstate(all="ignore"):
        weight, bias = np.square(sigma_w)[:, np.newaxis], np.square(sigma_b)[:, np.newaxis]
        after = weight * table.value + bias
        height, slope = np.log(after) - nodes, weight * table.growth * np.exp(nodes) / after - 1.0
        lost = ~(np.isfinite(height) & np.isfinite(slope))
        height = np.where(lost, np.where(after == 0.0, -_DIVERGES, _DIVERGES), height)
        slope = np.where(lost, 0.0, slope)
        place = np.clip(np.log(start), nodes[0], nodes[-1])
    cubics, chain, node = _Cubics(nodes, height, slope), np.arange(len(place)), np.arange(len(nodes))
    for _ in range(_FIRST_LAYERS):  # which may pass a fixed point where the map falls
        place = np.clip(place + cubics.at(chain, place, cubics.cell(place)), nodes[0], nodes[-1])
    cell = cubics.cell(place)
    rises = cubics.at(chain, place, cell) > 0.0
    side = np.where(rises, 1.0, -1.0)
    ahead = side[:, np.newaxis] * height
    turned = (ahead <= 0.0) & ((node > cell[:, np.newaxis]) == rises[:, np.newaxis])
    dips = cubics.turn(side)
    which, inside = np.nonzero(dips)
    bottom = cubics.bottom(which, inside)
    dips[which, inside] = (side[which] * cubics.at(which, bottom, inside) <= 0.0) & (
        side[which] * (bottom - place[which]) > 0.0
    )
    which, inside = np.nonzero(dips)
    turned[which, inside + rises[which]] = True
    first = np.where(rises, turned.argmax(axis=1), len(node) - 1 - turned[:, ::-1].argmax(axis=1))
    where = np.where(rises, first - 1, first).clip(0, len(node) - 2)
    far = np.where(dips[chain, where], cubics.bottom(chain, where), nodes[first])
    near = np.where(where == cell, place, nodes[np.where(rises, where, where + 1)])
    for _ in range(_BISECTIONS):
        middle = (near + far) / 2.0
        on = side * cubics.at(chain, middle, where) > 0.0
        near, far = np.where(on, middle, near), np.where(on, far, middle)
    return np.where(turned.any(axis=1), far, side * np.inf)


class _Cubics(NamedTuple):
    """The cubics with the heights and slopes of each chain at both ends of each cell, from a node to the next."""

    nodes: Array
    height: Array
    slope: Array

    def cell(self, log_q: Array) -> np.ndarray:
        """Return in which cell a place is."""
        return np.clip(np.searchsorted(self.nodes, log_q, side="right") - 1, 0, len(self.nodes) - 2)

    def _ends(self, chain: np.ndarray, cell: np.ndarray) -> tuple[Array, ...]:
        width = self.nodes[cell + 1] - self.nodes[cell]
        heights, slopes = ((each[chain, cell], each[chain, cell + 1]) for each in (self.height, self.slope))
        return width, *heights, *(width * each for each in slopes)

    def at(self, chain: np.ndarray, log_q: Array, cell: np.ndarray) -> Array:
        """Return the height of a chain at a place in a cell."""
        width, left, right, rise, end_rise = self._ends(chain, cell)
        u = (log_q - self.nodes[cell]) / width
        v = 1.0 - u
        whole = v * v * (left * (1.0 + 2.0 * u) + rise * u) + u * u * (right * (1.0 + 2.0 * v) - end_rise * v)
        return np.asarray(whole)

    def turn(self, side: Array) -> np.ndarray:
        """Return the cells in which a chain comes nearer to 0 from its side, and turns back."""
        height, slope = side[:, np.newaxis] * self.height, side[:, np.newaxis] * self.slope
        return (height[:, :-1] > 0.0) & (height[:, 1:] > 0.0) & (slope[:, :-1] < 0.0) & (slope[:, 1:] > 0.0)

    def bottom(self, chain: np.ndarray, cell: np.ndarray) -> Array:
        """Return where it turns."""
        width, left, right, rise, end_rise = self._ends(chain, cell)
        bend = 6.0 * (left - right) + 4.0 * rise + 2.0 * end_rise
        with np.errstate(all="ignore"):  # the derivative is (bend - rise + end_rise)·u² - bend·u + rise
            root = np.copysign(np.sqrt(np.square(bend) - 4.0 * rise * (bend - rise + end_rise)), rise)
            return np.asarray(self.nodes[cell] + width * 2.0 * rise / (bend + root))
