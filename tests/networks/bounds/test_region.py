"""Explosion regions: no point of a box is on the wrong side, the measure is bracketed, and budgets are kept."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.networks.bounds import local_norms, region
from tests.networks.bounds.balls import mlp, residual
from tests.networks.bounds.test_jacobian_bound import norms

_BOX = ([-2.0, -2.0], [2.0, 2.0])


def points_in(boxes, seed=0):
    lower, upper = boxes
    return lower + (upper - lower) * np.random.default_rng(seed).uniform(size=lower.shape)


def check(network, box, threshold, **more):
    region = gt.explosion_region(network, box, threshold=threshold, **more)
    for seed in range(3):
        if len(region.inside[0]):
            assert norms(network, points_in(region.inside, seed)).min() > threshold
        if len(region.outside[0]):
            assert norms(network, points_in(region.outside, seed)).max() <= threshold
    whole = float(np.prod(np.subtract(box[1], box[0])))
    parts = [
        float(np.prod(boxes[1] - boxes[0], axis=1).sum()) for boxes in (region.inside, region.outside, region.undecided)
    ]
    assert sum(parts) == pytest.approx(whole, rel=1e-12)
    assert region.measure[0] <= parts[0] <= parts[0] + parts[2] <= region.measure[1]
    x = np.random.default_rng(9).uniform(*box, size=(20_000, len(box[0])))
    share = (norms(network, x) > threshold).mean()
    assert region.measure[0] / whole - 0.02 <= share <= region.measure[1] / whole + 0.02
    return region


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "threshold"),
    [
        (lambda: mlp((2, 16, 16, 1), "tanh", 0, gain=1.5), 1.0),
        (lambda: mlp((2, 16, 16, 1), "gelu", 4, gain=1.5), 1.0),
        (lambda: mlp((2, 6, 6, 3), "sigmoid", 1, gain=4), 0.7),
    ],
    ids=["tanh", "gelu", "three outputs"],
)
def test_regions_of_two_inputs(make, threshold):
    region = check(make(), _BOX, threshold)
    assert region.is_complete
    assert region.undecided_share <= 0.01


@pytest.mark.slow
def test_kinks_and_norms_are_decided_as_far_as_they_can_be():
    check(mlp((2, 8, 8, 1), "relu", 1, gain=1.5), _BOX, 1.0, tolerance=0.1)
    check(residual(0), ([-1, -1], [1, 1]), 1.0, tolerance=0.2, most_boxes=20_000)


@pytest.mark.slow
def test_three_inputs():
    check(mlp((3, 6, 1), "tanh", 0, gain=3), ([-1] * 3, [1] * 3), 2.0, tolerance=0.05)


@pytest.mark.parametrize(
    ("activation", "w", "b"), [("tanh", (2.0, -1.5), (0.3, 0.2)), ("sigmoid", (6.0, 4.5), (-1, 0))]
)
def test_one_neuron_a_layer_agrees_with_the_chain(activation, w, b):
    network = gt.Network((1, 1, 1), activation, w=[[[each]] for each in w], b=[[each] for each in b])
    weights, biases = ([sympy.Rational(each) for each in values] for values in (w, b))
    exact = gt.total_explosion_set(gt.Chain(2, activation), w=weights, b=biases, threshold="3/4")
    region = check(network, ([-4], [4]), 0.75, tolerance=1e-6)
    assert region.is_complete
    assert float(exact.inf) > -4
    assert region.measure[0] <= float(exact.measure.n(20)) <= region.measure[1]
    assert region.measure[1] - region.measure[0] <= 8e-6
    assert region.inside[0].min() >= float(exact.inf)
    assert region.inside[1].max() <= float(exact.sup)


def test_a_budget_leaves_the_rest_undecided():
    region = check(mlp((2, 16, 16, 1), "tanh", 0, gain=2), _BOX, 1.0, tolerance=1e-9, most_boxes=500)
    assert not region.is_complete
    assert "used up" in repr(region)
    one = gt.explosion_region(mlp((2, 16, 16, 1), "tanh", 0, gain=2), _BOX, most_boxes=1)
    assert len(one.undecided[0]) == 1


def test_empty_and_whole_regions():
    network = gt.Network((1, 1), "identity", w=[[[2.0]]], b=[[0.0]])
    assert gt.explosion_region(network, ([0], [4])).measure[0] == pytest.approx(4, rel=1e-12)
    assert gt.explosion_region(network, ([0], [4]), threshold=2.5).measure == (0.0, 0.0)
    assert gt.explosion_region(network, ([0], [1]), threshold=2, most_boxes=100).inside[0].size == 0


@pytest.mark.parametrize(("n", "half"), [(1, 1e-290), (1, 1e290), (2, 1e-140), (2, 1e140), (3, 1e-99), (3, 1e99)])
def test_volumes_far_from_1_do_not_underflow(n, half):
    network = gt.Network((n, 1), "relu", w=[[[2.0] + [0.0] * (n - 1)]], b=[[0.0]])
    region = gt.explosion_region(network, ([-half] * n, [half] * n), tolerance=0.03)
    low, high = (Fraction(end) for end in region.measure)
    exact = Fraction(half) ** n * 2 ** (n - 1)
    assert low <= exact <= high <= exact * Fraction(21, 20)
    assert region.undecided_share <= 0.03
    assert str(region)


@pytest.mark.parametrize(("n", "half"), [(1, 1e-301), (1, 1e301), (2, 1e-155), (2, 1e155), (3, 1e-110), (3, 1e110)])
def test_volumes_beyond_float64_are_refused(n, half):
    network = gt.Network((n, 1), "tanh", w=[[[2.0] + [0.0] * (n - 1)]], b=[[0.0]])
    with pytest.raises(InvalidArgument, match=r"must have a volume between 1e-300 and 1e\+300"):
        gt.explosion_region(network, ([-half] * n, [half] * n))


def test_one_sided_errors_are_noticed(monkeypatch):
    """Where the bound from above leaves out the remainder, points land on the wrong side."""
    network = mlp((2, 16, 16, 1), "tanh", 0, gain=3)
    honest = local_norms.norms_from_above

    def careless(jacobian):
        return honest(type(jacobian)(jacobian.centre, 0.0 * jacobian.linear, 0.0 * jacobian.rest))

    monkeypatch.setattr(region, "norms_from_above", careless)
    with pytest.raises(AssertionError):
        check(network, _BOX, 1.0, tolerance=0.05)


@pytest.mark.parametrize(
    ("arguments", "refused"),
    [
        ({"box": ([0, 0], [0, 1])}, "box"),
        ({"threshold": 0}, "threshold"),
        ({"tolerance": -1}, "tolerance"),
        ({"most_boxes": 0}, "most_boxes"),
        ({"network": gt.Chain(2)}, "network"),
        ({"network": gt.Network((1, 1))}, "w"),
        ({"network": mlp((4, 2), "tanh", 0)}, "network.n_inputs"),
    ],
)
def test_bad_arguments_are_refused(arguments, refused):
    valid = {"network": mlp((2, 3, 1), "tanh", 0), "box": _BOX}
    with pytest.raises(InvalidArgument) as refusal:
        gt.explosion_region(**(valid | arguments))
    assert refusal.value.name == refused


def test_the_picture_shows_every_box():
    network = mlp((2, 16, 16, 1), "tanh", 0, gain=1.5)
    region = gt.explosion_region(network, _BOX, tolerance=0.1)
    ax = gt.plots.explosion_region(region)
    counts = [len(collection.get_paths()) for collection in ax.collections]
    assert counts == [len(boxes[0]) for boxes in (region.outside, region.undecided, region.inside)]
    with pytest.raises(InvalidArgument, match="3 inputs"):
        gt.plots.explosion_region(gt.explosion_region(mlp((3, 2, 1), "tanh", 0), ([0] * 3, [1] * 3), most_boxes=1))
