"""A certified upper bound of the norm of a network's Jacobian on a box: the least that several enclosures give."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradtheory.arithmetic.brief import ShownAsTable, upward
from gradtheory.arithmetic.guarantee import Guarantee
from gradtheory.arithmetic.inputs import Array, read_count
from gradtheory.networks.bounds.boxes import halves, read_box
from gradtheory.networks.bounds.deviations import deviations, entry_bound, mean_value_bound, product_bound
from gradtheory.networks.bounds.enclosure import enclose_network, multiplications
from gradtheory.networks.bounds.local_norms import norms_from_above, norms_from_below
from gradtheory.networks.bounds.region import MOST_INPUTS, in_batches, in_parts, jacobian_on, steepest_axis
from gradtheory.networks.bounds.slope_cuts import cut_bound
from gradtheory.networks.nodes import Node
from gradtheory.networks.passes import dense_places

_MOST_BOXES, _CLOSE = 1_000_000, 1e-3
_PARTS, _AT_ONCE = 64, 256  # boxes at first, and boxes that are cut at a time
_MOST_COEFFICIENTS = 2_000_000  # of the Jacobian of a node that is linear in the inputs
_MOST_PRODUCTS = 2e11  # multiplications that the sweeps may take
_MOST_CUTS, _CUT_PRODUCTS = 64, 2e9  # cuts of slopes, and multiplications that these may take
_MOST_WIDE_BOXES, _BOX_PRODUCTS = 4, 4e6  # of more inputs than are bisected, and multiplications that these may take
_CUT_SWEEPS, _BOX_SWEEPS = 5_000, 200  # of small layers, of which each sweep takes as long as its calls


@dataclass(frozen=True)
class LocalJacobianBound(ShownAsTable):
    r"""An upper bound of sup ‖∂f/∂x‖ over a box, in the spectral norm.

    Attributes
    ----------
    bound : float
        Certified: no input of the box, at which f has a derivative, has a greater norm; roundings are counted.
    method : str
        Which enclosure gave it: "product" of the layers' norms with their slopes on the box, "entries" of the Jacobian,
        "mean value form" of it, "deviations" from the Jacobian in the middle, the same with the "slopes at their
        ends", or "bisection" of the box.

    """

    bound: float
    method: str

    @property
    def guarantee(self) -> Guarantee:
        """Certified, on the box."""
        return Guarantee.CERTIFIED

    def __float__(self) -> float:
        return self.bound

    def __repr__(self) -> str:
        return f"LocalJacobianBound(sup ‖J‖ ≤ {upward(self.bound)}, certified on the box by {self.method})"


def jacobian_bound_on(nodes: Sequence[Node], n_inputs: int, box: Any, most_boxes: Any = 4096) -> LocalJacobianBound:
    """Return a certified upper bound of the norm of the Jacobian on a box.

    Parameters
    ----------
    nodes : sequence of Node
        The network.
    n_inputs : int
        The width of its input.
    box : pair of array_like of shape (n_inputs,)
        (lower, upper).
    most_boxes : int
        Into how many boxes one of up to three inputs may be cut; one of more inputs is cut into four at most.

    Raises
    ------
    InvalidArgument
        If the box is none.
    Undecided
        If the monotone branches of an activation's slope are not proven.

    Examples
    --------
    >>> import gradtheory as gt
    >>> from gradtheory.networks.nodes import Dense, Elementwise
    >>> nodes = Node("layer1", Dense(np.array([[3.0]])), (-1,)), Node("act", Elementwise(gt.activation("tanh")), (0,))
    >>> jacobian_bound_on(nodes, 1, ([0.5], [2]))
    LocalJacobianBound(sup ‖J‖ ≤ 0.54212, certified on the box by slopes at their ends)

    """
    lower, upper = read_box(box, n_inputs)
    budget = read_count(most_boxes, "most_boxes", _MOST_BOXES)
    bounds = _on_box(nodes, lower, upper)
    if n_inputs <= MOST_INPUTS:
        if budget > 1:
            bounds["bisection"] = _by_bisection(nodes, lower, upper, budget)
    else:
        affordable = min(_BOX_PRODUCTS / multiplications(nodes), _BOX_SWEEPS / len(dense_places(nodes)) ** 2)
        if (boxes := int(min(budget, _MOST_WIDE_BOXES, affordable))) > 1:
            bounds["bisection"] = _in_few_boxes(nodes, lower, upper, min(bounds.values()), boxes)
    method = min(bounds, key=lambda name: bounds[name])
    return LocalJacobianBound(bounds[method], method)


def _on_box(nodes: Sequence[Node], lower: Array, upper: Array) -> dict[str, float]:
    """Return upper bounds on one box, by the names of their methods."""
    enclosure = enclose_network(nodes, lower[None], upper[None])
    enclosures = [enclosure]
    bounds = {"product": product_bound(nodes, enclosure)}
    bounds["entries"] = entry_bound(enclosure.jacobian)
    if len(lower) ** 2 * max(len(form.centre[0]) for form in enclosure.outputs.values()) <= _MOST_COEFFICIENTS:
        enclosures.append(enclose_network(nodes, lower[None], upper[None], symbols=len(lower)))
        linear = enclosures[1].jacobian
        bounds["mean value form"] = min(mean_value_bound(linear), entry_bound(linear))
    if (work := multiplications(nodes)) <= _MOST_PRODUCTS:
        on_box, *linear_in_inputs = (deviations(nodes, each) for each in enclosures)
        bounds["deviations"] = min(each.bound for each in (on_box, *linear_in_inputs))
        cuts = int(min(_MOST_CUTS, _CUT_PRODUCTS / work, _CUT_SWEEPS / len(dense_places(nodes)) ** 2))
        bounds["slopes at their ends"] = cut_bound(nodes, enclosure, on_box, cuts)
    return bounds


def _in_few_boxes(nodes: Sequence[Node], lower: Array, upper: Array, bound: float, most_boxes: int) -> float:
    """Return an upper bound by halving the box that has the greatest; for many inputs, of which few can be cut."""
    cases = [(bound, lower, upper)]
    while len(cases) < most_boxes:
        cases.sort(key=lambda case: case[0])
        above, low, high = cases.pop()
        axis = steepest_axis(jacobian_on(nodes, low[None], high[None]), low[None], high[None])
        for below, beyond in zip(*halves(low[None], high[None], axis), strict=True):
            cases.append((min(above, *_on_box(nodes, below, beyond).values()), below, beyond))
    return max(above for above, *_ in cases)


def _by_bisection(nodes: Sequence[Node], lower: Array, upper: Array, budget: int) -> float:
    """Return an upper bound by cutting the boxes that have the greatest; it is the greatest of those that are left."""
    low, high = in_parts(lower[None], upper[None], min(_PARTS, budget))
    bounds, attained, axes = _on_boxes(nodes, low, high)
    looked_at = len(low)
    while looked_at < budget:
        worst = np.argsort(bounds)[::-1][: min(_AT_ONCE, (budget - looked_at) // 2)]
        worst = worst[bounds[worst] > attained * (1.0 + _CLOSE)]
        if not len(worst):
            break
        parts = halves(low[worst], high[worst], axes[worst])
        others = np.ones(len(low), dtype=bool)
        others[worst] = False
        before = np.tile(bounds[worst], 2)
        more, also_attained, more_axes = _on_boxes(nodes, *parts)
        attained = max(attained, also_attained)
        low, high = np.concatenate([low[others], parts[0]]), np.concatenate([high[others], parts[1]])
        bounds = np.concatenate([bounds[others], np.minimum(more, before)])  # what holds on a box holds on its parts
        axes = np.concatenate([axes[others], more_axes])
        looked_at += len(parts[0])
    return float(bounds.max())


def _on_boxes(nodes: Sequence[Node], lower: Array, upper: Array) -> tuple[Array, float, Array]:
    """Return upper bounds of the norm on boxes, a value that it exceeds somewhere, and where to cut."""
    above, axes, attained = [], [], 0.0
    for low, high in in_batches((lower, upper)):
        jacobian = jacobian_on(nodes, low, high)
        above.append(norms_from_above(jacobian))
        axes.append(steepest_axis(jacobian, low, high))
        attained = max(attained, float(norms_from_below(jacobian).max()))
    return np.concatenate(above), attained, np.concatenate(axes)
