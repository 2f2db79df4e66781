"""Where σ has another value at a switch than beside it, or none, it has no derivative: the place is left out."""

import math

import numpy as np
import pytest
import sympy
from sympy import Abs, Eq, Heaviside, Max, Ne, Piecewise, exp, log, sign, tanh

import gradtheory as gt
from gradtheory import checker
from gradtheory.activations import Z
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.depth.chain_in_balls import Layers
from gradtheory.explosion.whole_chain.parameter import Output

_LEFT_OUT = [
    Z + sign(Z) ** 2,
    Z + sign(Abs(Z)),
    Z + sympy.cos(sign(Z)),
    Z + Heaviside(Z) * Heaviside(-Z),
    Z + Piecewise((5, Eq(Z, 0)), (0, True)),
    Piecewise((Z, Z < 0), (1, Z <= 0), (Z, True)),
    Z + Z**3 / Abs(Z),
    Z + Z**3 / Max(Z, -Z),
    3 * Z + Z**2 * log(Abs(Z)),
    Z + tanh(1 / Abs(Z)),
    Z + Abs(Z) / Z,
    Z + Max(0, Z) / Z,
    Z + Max(0, Z) ** 2 / Z**2,
]
_KEPT = {  # with the slope at 0
    Z + Heaviside(Z) + Heaviside(-Z): 1,
    Z * sign(Z) ** 2: 1,
    Abs(Z) * sign(Z) / 2: sympy.Rational(1, 2),
    sign(Z) * Abs(tanh(Z)): 1,
    sign(sympy.sin(Z)) * Abs(sympy.sin(Z)): 1,
    Z + Piecewise((Z**3 / Abs(Z), Ne(Z, 0)), (0, True)): 1,
    3 * Z + Piecewise((exp(-1 / Abs(Z)), Ne(Z, 0)), (0, True)): 3,
    Z + Z / (1 + Abs(Z)): 2,
}


@pytest.mark.parametrize("expr", _LEFT_OUT)
@pytest.mark.parametrize("strict", [True, False])
def test_a_place_with_another_value_is_left_out(expr, strict):
    explosion = gt.explosion_set(expr, w=2, strict=strict)
    assert 0 not in explosion
    assert sympy.Rational(1, 10**9) in explosion


@pytest.mark.parametrize("expr", _KEPT)
def test_a_place_with_the_value_of_both_sides_is_kept(expr):
    assert 0 in gt.explosion_set(expr, w=3)


@pytest.mark.parametrize(("expr", "slope"), _KEPT.items())
@pytest.mark.parametrize("strict", [True, False])
def test_the_slope_at_such_a_place_is_that_beside_it(expr, slope, strict):
    least = 1 / sympy.S(slope)
    expected = sympy.Complement(sympy.S.Reals, sympy.Interval(-least, least, not strict, not strict))
    assert gt.exploding_weights(expr, x=0, b=0, strict=strict) == expected
    probability = gt.factor_probability(expr, sigma_w=1, threshold=1, z=0)
    assert float(probability) == pytest.approx(math.erfc(float(least) / math.sqrt(2.0)), rel=1e-14)


def test_the_greatest_slope_is_met_at_such_a_place():
    odd = sign(Z) * Abs(tanh(Z))
    for way in ([odd, "tanh"], ["tanh", odd], [odd, "identity"], [odd, odd]):
        assert gt.total_explosion_set(gt.Chain(2, way), w=[1, 1], b=[0, 0], strict=False) == {0}
    assert gt.exploding_parameter(gt.Chain(2, [odd, "tanh"]), "w1", x=1, w=[0, 1], b=[0, 0], strict=False) == {0}


@pytest.mark.parametrize("expr", [_LEFT_OUT[0], _LEFT_OUT[5]])
def test_the_checker_agrees(expr):
    assert checker.check(gt.certificate(expr, w=2)).ok


def test_at_an_irrational_place():
    places = gt.explosion_set(Z + sign(Z**2 - 2) ** 2, w=1, threshold="1/2").boundary
    assert {round(float(place), 12) for place in places} == {-1.414213562373, 1.414213562373}
    one = Z**5 + Z
    assert gt.explosion_set(Piecewise((one, one < 1), (1, Eq(one, 1)), (one, True)), w=2) == sympy.Reals
    assert gt.explosion_set(Piecewise((one, one < 1), (2, Eq(one, 1)), (one, True)), w=2) != sympy.Reals


def test_in_chains_and_classes():
    bumped = tanh(Z) + sign(Z) ** 2
    assert 0 not in gt.total_explosion_set(gt.Chain(2, ["identity", bumped]), w=[2, 1], b=[0, 0])
    assert not gt.depth_bound(bumped).is_in_class_n
    assert 5 in gt.activation(Piecewise((5, Eq(Z, 0)), (tanh(Z), True))).range


_ALONE = sympy.Piecewise((5, sympy.Eq(Z, 1)), (sympy.tanh(Z), True))


def test_bounds_know_a_value_that_sigma_has_at_one_place_alone():
    network = gt.Network(
        (2, 2, 2, 1), ["hard_tanh", _ALONE, "sigmoid"], w=[np.eye(2), np.eye(2), [[1.0, 1.0]]], b=[[0, 0], [0, 0], [-5]]
    )
    box = ([2.0, -0.1], [3.0, 0.1])  # on which a unit of the first layer is 1
    steepest = float(np.linalg.norm(network.jacobian([[2.5, 0.05]])[0], 2))
    assert steepest > 0.2492
    assert float(network.jacobian_bound(box)) >= steepest
    assert network.layer_bounds(box)[2].slopes[1].max() >= steepest
    assert gt.explosion_region(network, box, threshold=0.1, most_boxes=64).measure[1] >= 0.2
    w, b = [1.0, 4.0], [0.0, math.log(2) - 400.0]
    own = sympy.Piecewise((100, sympy.Eq(Z, 1)), (sympy.tanh(Z), True))
    chain = gt.Chain(2, [own, "sigmoid"])
    guarantee = gt.remedies.weight_decay_guarantee(chain, [1.0], [0.0])
    decay = 1.01 * guarantee.weight_decay
    descent = gt.optimisers.gradient_descent(guarantee.largest_step(decay), weight_decay=decay)
    assert np.all(np.abs(gt.train(chain, [1.0], [0.0], w, b, optimiser=descent, steps=1).w) <= [1.0, 4.0])


@pytest.mark.parametrize(
    "expr",
    [
        sympy.Piecewise((Z, (Z >= 0) & (Z < 1)), (Z - 1, (Z >= 1) & (Z < 2)), (Z - 2, (Z >= 2) & (Z < 3)), (0, True)),
        sympy.tanh(Z) - sympy.Heaviside(Z),
        sympy.tanh(Z) + sympy.tanh(Z - 20) - 2 * sympy.Heaviside(Z - 10),
    ],
)
def test_a_sigma_that_jumps_down_is_not_taken_for_monotone(expr):
    chain = gt.Chain(1, expr)
    assert gt.total_explosion_bound(chain) == sympy.oo
    assert gt.total_explosion_theorem(chain).endswith(" jumps")
    assert not gt.fact("any_depth").applies(gt.activation(expr))


@pytest.mark.parametrize("topic", ["gradient", "slope_maximum", "weak_norm", "weight_decay", "depth"])
def test_derivations_are_for_continuous_activations(topic):
    for expr, place in ((_ALONE, 1), (Z + sympy.Heaviside(Z), 0), (Z + sympy.sign(Z) ** 2, 0)):
        with pytest.raises(InvalidArgument, match=rf"must be continuous; it jumps at z = {place}"):
            gt.derive(topic, activation=expr)


def test_what_jumps_without_a_word_for_it_jumps():
    sigma = tanh(Z) - Abs(Z) / Z  # tanh - sign, without a value at 0
    assert np.isnan(gt.activation(sigma).value(0.0))
    assert gt.activation(sigma).range == sympy.Union(sympy.Interval.open(-1, 0), sympy.Interval.open(0, 1))
    chain = gt.Chain(2, sigma)
    both = gt.total_explosion_set(chain, w=["9/5", 300], b=[0, 0])
    x = np.linspace(-3, 3, 600_001)[1::2]  # without 0
    a = np.tanh(1.8 * x) - np.sign(x)
    steep = np.abs(1.8 * (1 - np.tanh(1.8 * x) ** 2) * 300 * (1 - np.tanh(300 * a) ** 2)) > 1.0
    assert float(both.measure) == pytest.approx(np.mean(steep) * 6.0, abs=1e-4)
    assert gt.total_explosion_theorem(chain).startswith("none")
    network = gt.Network((1, 1, 1), [sigma, "sigmoid"], w=[[[1.0]], [[10.0]]], b=[[0.0], [-9.5]])
    slopes = np.abs(network.jacobian(np.linspace(-1.0, 0.1, 1001)[:, None]))
    assert float(network.jacobian_bound(([-1.0], [0.1]))) >= np.nanmax(slopes) > 0.1


@pytest.mark.parametrize("piece", [Piecewise((5 * Z, Z > 0)), Piecewise((tanh(Z), Z > -5)), 2 + Piecewise((Z, Z > 0))])
def test_a_formula_with_no_value_on_one_side_is_refused(piece):
    with pytest.raises(Undecided, match=r"Piecewise\(.* has no value at z = -"):
        gt.explosion_set(piece, w=2)


_LONE = Piecewise((5, Eq(Z, 0)), (2 + tanh(Z), True))
_JUMPING = Piecewise((0, Z < 0), (3, True)) + Z / 100


@pytest.mark.parametrize(
    ("layers", "b", "output"),
    [
        (["exponential", _LONE], [0, -sympy.E], 5),  # z_2 = e - e
        (["exponential", _JUMPING], [0, -sympy.E], 3),
        (["exponential", Abs(Z)], [0, -sympy.E], 0),
        (["identity", _LONE], [0, -1], 5),
        (["tanh", "tanh"], [0, -tanh(1)], 0),
        (["tanh", _LONE], [0, -(exp(2) - 1) / (exp(2) + 1)], 5),  # tanh(1), written in another way
        (["exponential", "threshold"], [0, 1 - sympy.E], 0),  # 0 up to 1, and 1 beyond
    ],
)
def test_the_output_of_layers_at_an_irrational_switch_is_the_value_there(layers, b, output):
    chain = gt.Chain(3, [*layers, "tanh"])
    found = gt.exploding_parameter(chain, "b3", x=1, w=[1, 1, 1], b=[*b, None], threshold="1/2")
    ends = [float(end) for end in (found.inf, found.sup)]
    assert ends == pytest.approx([-output - math.asinh(1), -output + math.asinh(1)], rel=1e-14)  # where sech² = 1/2
    assert str(found).startswith("Interval.open(")


@pytest.mark.parametrize("last", ["tanh", _LONE])
def test_an_output_that_is_not_told_from_a_switch_is_undecided(last):
    long = sympy.sqrt(6) + exp(1) + sympy.sin(2) * sympy.cos(3) + log(7) - sympy.pi / 3
    same = Output(Layers((gt.activation("tanh"),) * 2, (sympy.S.One, sympy.S.One), (sympy.S.Zero, long)), sympy.S.One)
    chain = gt.Chain(4, ["tanh", "tanh", last, "tanh"])
    with pytest.raises(Undecided, match="the sign of"):
        gt.exploding_parameter(chain, "b4", x=1, w=[1] * 4, b=[0, long, -same, None], threshold="1/2")
