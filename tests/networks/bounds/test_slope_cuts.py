"""Cuts of slopes: against the norms at all ends of all slopes."""

import itertools

import numpy as np
import pytest

from gradtheory.networks.bounds import slope_cuts
from gradtheory.networks.bounds.deviations import deviations
from gradtheory.networks.bounds.enclosure import enclose_network
from gradtheory.networks.bounds.jacobian import jacobian_bound_on
from gradtheory.networks.nodes import Dense
from tests.networks.bounds.balls import mlp
from tests.networks.bounds.test_enclosures import sampled
from tests.networks.bounds.test_jacobian_bound import norms


def at_all_ends(network, enclosure):
    """Return the greatest norm of the Jacobian over all choices of the ends of all slopes."""
    places = [(place, unit) for place, slopes in enclosure.slopes.items() for unit in range(slopes.lower.shape[1])]
    loose = [spot for spot in places if np.ptp([side[0, spot[1]] for side in enclosure.slopes[spot[0]]]) > 0]
    greatest = 0.0
    for choice in itertools.product((0, 1), repeat=len(loose)):
        slopes = {place: both.lower[0].copy() for place, both in enclosure.slopes.items()}
        for (place, unit), end in zip(loose, choice, strict=True):
            slopes[place][unit] = enclosure.slopes[place][end][0, unit]
        jacobian = np.eye(network.n_inputs)
        for place, node in enumerate(network.nodes):
            dense = isinstance(node.operation, Dense)
            jacobian = node.operation.w @ jacobian if dense else slopes[place][:, None] * jacobian
        greatest = max(greatest, np.linalg.norm(jacobian, 2))
    return greatest


@pytest.mark.parametrize(("kind", "half"), [("relu", 0.2), ("tanh", 0.4)])
def test_all_cuts_give_the_norm_at_the_worst_ends(monkeypatch, kind, half):
    monkeypatch.setattr(slope_cuts, "_LEAST", 2.0)
    network, centre = mlp((3, 4, 3), kind, 5, gain=2), np.full(3, 0.2)
    enclosure = enclose_network(network.nodes, (centre - half)[None], (centre + half)[None])
    before = deviations(network.nodes, enclosure)
    worst = at_all_ends(network, enclosure)
    bounds = [slope_cuts.cut_bound(network.nodes, enclosure, before, cuts) for cuts in (0, 3, 100)]
    assert before.bound == bounds[0] >= bounds[1] >= bounds[2] >= worst * (1 - 1e-12)
    assert bounds[2] <= worst * (1 + 1e-9)
    assert bounds[2] < 0.95 * bounds[0]


def test_cuts_of_relu_are_above_every_sampled_norm_and_tighter_than_none():
    network, centre = mlp((16, 64, 64, 10), "relu", 1), np.full(16, 0.1)
    box = centre - 0.02, centre + 0.02
    bound = jacobian_bound_on(network.nodes, 16, box, most_boxes=1)
    enclosure = enclose_network(network.nodes, *(corner[None] for corner in box))
    assert bound.method == "slopes at their ends"
    assert norms(network, sampled(network, centre, 0.02, number=2000)).max() <= bound.bound
    assert bound.bound < 0.95 * deviations(network.nodes, enclosure).bound
