"""Stability regions: against the spectral radius, the optimisers themselves, and a search for the best momentum."""

import inspect
import math
from dataclasses import replace

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import minimize

from gradtheory.errors import InvalidArgument
from gradtheory.formulas.text import text
from gradtheory.training import optimisers
from gradtheory.training.optimisers import State
from gradtheory.training.optimisers.catalogue import RULES
from gradtheory.training.stability import schur_cohn, stability_region
from gradtheory.training.stability.iteration import BETA, DECAY, EPSILON, ETA, H
from gradtheory.training.stability.near_zero import cycle, limit_at_zero

_NAMES = tuple(RULES)
_WITH_MOMENTUM = ("heavy_ball", "nesterov", "adam", "adamw")
_LIMITS = {
    "gradient_descent": 2 / H,
    "heavy_ball": 2 * (1 + BETA) / H,
    "nesterov": 2 * (1 + BETA) / (H * (1 + 2 * BETA)),
    "rmsprop": 2 / H,
    "adam": (2 + 2 * BETA) / ((1 - BETA) * H),  # Cohen et al. (2022), equation 3
    "adamw": 2 * (1 + BETA) / ((1 - BETA) * H + (1 + BETA) * DECAY),
}
_numbers = {
    "eta": st.floats(1e-3, 5),
    "beta": st.floats(0, 0.99),
    "h": st.floats(1e-2, 10),
    "weight_decay": st.floats(0, 2),
}


def point(name, eta, beta, h, weight_decay):
    more = {"beta": beta} if name in _WITH_MOMENTUM else {}
    return {"eta": eta, "h": h, "weight_decay": weight_decay, **more}


def radius(name, eta, beta, h, weight_decay):
    """Return the spectral radius by NumPy, from a matrix written down here."""
    if name != "adamw":
        h, weight_decay = h + weight_decay, 0.0
    gain = {"adam": 1 - beta, "adamw": 1 - beta}.get(name, 1.0)
    if name in ("gradient_descent", "rmsprop"):
        return abs(1 - eta * h)
    ahead = eta * h if name == "nesterov" else 0.0
    step = eta * (beta if name == "nesterov" else 1.0)
    row = np.array([gain * h, beta])  # the momentum after the step
    matrix = np.array([[1 - ahead - eta * weight_decay, 0.0] - step * row, row])
    return max(abs(np.linalg.eigvals(matrix)))


@pytest.mark.parametrize("which", _NAMES)
def test_limits_are_those_of_the_literature(which):
    assert which in _LIMITS, f"write the largest stable η of {which}, from the literature, into _LIMITS"
    assert sympy.simplify(stability_region(which).limit - _LIMITS[which]) == 0


@pytest.mark.parametrize("which", _NAMES)
@given(**_numbers | {"h": st.floats(-2, 10)})
def test_inside_means_a_spectral_radius_below_one(which, eta, beta, h, weight_decay):
    region, modulus = stability_region(which), radius(which, eta, beta, h, weight_decay)
    assert region.rate(**point(which, eta, beta, h, weight_decay)) == pytest.approx(modulus, abs=1e-7)
    assume(abs(modulus - 1) > 1e-9)
    inside = region.contains(**point(which, eta, beta, h, weight_decay))
    assert inside == (modulus < 1)
    at = {ETA: eta, BETA: beta, H: h, DECAY: weight_decay}
    if which != "adamw":
        at[H] += weight_decay
    assume(at[H] != 0)  # of the limit, 2/h, nothing is said there
    assert bool(region.condition.subs(at)) == inside
    assert all(expression.subs(at) > 0 for expression in region.conditions()) == inside


@pytest.mark.parametrize("which", _NAMES)
@given(beta=st.floats(0, 0.98), h=st.floats(0.05, 10))
def test_the_limit_is_where_it_turns(which, beta, h):
    region = stability_region(which)
    limit = float(region.limit.subs({BETA: beta, H: h, DECAY: 0}))
    for factor, stable in ((1 - 1e-6, True), (1 + 1e-6, False)):
        assert region.contains(**point(which, factor * limit, beta, h, 0)) is stable
        assert (radius(which, factor * limit, beta, h, 0) < 1) == stable


def test_numbers_are_decided_exactly():
    region = stability_region("heavy_ball")
    assert not region.contains(eta="0.3", beta="0.5", h=10)
    assert region.contains(eta=sympy.Rational(3, 10) - sympy.Rational(1, 10**50), beta="0.5", h=10)
    assert stability_region("gradient_descent").contains(eta="1.9", beta=0.5, h=1)
    for outside in ({"beta": 1}, {"beta": -0.1}, {"eta": -1}, {"h": -1}, {"eta": 0}, {"h": 0}):
        assert not region.contains(**{"eta": "0.1", "beta": "0.5", "h": 1} | outside)


@pytest.mark.parametrize("which", _NAMES)
def test_weight_decay_makes_up_for_a_loss_that_is_flat_or_curves_down(which):
    region = stability_region(which)
    at = {"eta": 1, "beta": 0, "weight_decay": "0.5"}
    for h, inside in ((0, True), ("-0.4", True), ("-0.5", False), ("-0.6", False)):
        assert region.contains(h=h, **at) is inside
        assert (region.rate(h=float(h), eta=1, beta=0, weight_decay=0.5) < 1 - 1e-9) == inside


def test_the_condition_holds_where_weight_decay_makes_up_for_a_negative_curvature():
    region = stability_region(optimisers.heavy_ball(1.0, 0.0, weight_decay=0.25))
    assert region.contains(h="-0.2")
    assert region.condition.subs({ETA: 1, BETA: 0, H: -0.2}) == sympy.true
    assert r"h + \frac{1}{4} > 0" in region.latex()
    assert r"h + \lambda > 0" in stability_region("adamw").latex()


def test_a_negative_weight_decay_is_outside_of_the_region_of_adamw():
    region, at = stability_region("adamw"), {"h": 6, "eta": 1, "beta": 0.9, "weight_decay": -5}
    assert region.rate(**at) > 5
    assert not region.contains(**at)


@pytest.mark.parametrize("which", RULES)
@given(w=st.floats(-2, 2), v=st.floats(-2, 2), **_numbers)
def test_a_step_in_float64_is_the_matrix_of_the_proofs(which, w, v, eta, beta, h, weight_decay):
    """On ½h·w² near 0, long after the bias correction: with ε = 1 the preconditioner is 1."""
    make, near = getattr(optimisers, which), 1e-10
    if not RULES[which].is_decoupled:  # else λ is part of the gradient, as h is
        weight_decay = 0.0
    hyperparameters = {"beta": beta, "epsilon": 1.0, "weight_decay": weight_decay}
    allowed = {key: value for key, value in hyperparameters.items() if key in inspect.signature(make).parameters}
    state = State((np.array([near * w]),), (np.array([near * v]),), (np.zeros(1),), steps=10_000)
    after = make(eta, **allowed).step(state, [h * state.parameters[0]])
    matrix = stability_region(which).matrix.subs({ETA: eta, BETA: beta, H: h, DECAY: weight_decay})
    exact = np.array(matrix, dtype=float) @ [w, v][: matrix.rows]
    stepped = [after.parameters[0][0] / near, after.first[0][0] / near][: matrix.rows]
    np.testing.assert_allclose(stepped, exact, atol=1e-7 * (1 + eta * h))


def test_every_rule_has_its_function():
    assert set(RULES) == set(optimisers.__all__) - {"Optimiser", "State"}
    for name, rule in RULES.items():
        assert getattr(optimisers, name)(0.1).rule == rule
        assert rule.is_adaptive != math.isnan(getattr(optimisers, name)(0.1).beta2)


def test_the_region_of_an_optimiser_takes_its_numbers():
    region = stability_region(optimisers.heavy_ball(0.3, 0.5, weight_decay=2.0))
    by_name = stability_region("heavy_ball")
    assert region.limit == by_name.limit.subs(H, H + 2)
    for h in (1.0, 7.9, 8.1, 30.0):
        assert region.contains(h=h) is by_name.contains(eta=0.3, beta=0.5, h=h, weight_decay=2.0) is (h < 8)
        assert region.rate(h=h) == by_name.rate(eta=0.3, beta=0.5, h=h, weight_decay=2.0)
    assert not region.contains(h=1.0, eta=3.0)


@pytest.mark.parametrize("which", ["gradient_descent", "heavy_ball", "nesterov"])
@given(eta=st.floats(0.01, 3), beta=st.floats(0, 0.95), h=st.floats(0.1, 3))
def test_optimisers_converge_inside_and_diverge_outside(which, eta, beta, h):
    rate = stability_region(which).rate(**point(which, eta, beta, h, 0))
    assume(abs(rate - 1) > 0.02)
    more = {} if which == "gradient_descent" else {"beta": beta}
    optimiser = getattr(optimisers, which)(eta, **more)
    state = optimiser.start([[1.0]])
    for _ in range(600):
        state = optimiser.step(state, [h * state.parameters[0]])
        if abs(state.parameters[0][0]) > 1e100:
            break
    size = np.hypot(state.parameters[0], state.first[0])[0]
    assert size < 1 if rate < 1 else not size < 1


@pytest.mark.parametrize("which", ["adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("share", [0.97, 1.03])
def test_preconditioned_optimisers_too(which, share):
    """With a huge ε the root of the mean square does not count: the preconditioner is ε."""
    beta, h, decay, epsilon = 0.8, 1.3, 0.2 if which == "adamw" else 0.0, 1e9
    limit = float(_LIMITS[which].subs({BETA: beta, H: h, DECAY: decay}))
    more = {} if which == "rmsprop" else {"beta": beta, "weight_decay": decay}
    optimiser = getattr(optimisers, which)(share * limit, epsilon=epsilon, **more)
    state = replace(optimiser.start([[1e-3]]), steps=10_000)  # long after the bias correction
    for _ in range(800):
        state = optimiser.step(state, [h * epsilon * state.parameters[0]])
        if which == "rmsprop" or abs(state.parameters[0][0]) > 0.1:  # further out the squares begin to count
            break
    if which == "rmsprop":
        assert state.parameters[0][0] / 1e-3 == pytest.approx(1 - share * limit * h, rel=1e-2)
    else:
        assert (abs(state.parameters[0][0]) < 1e-3) == (share < 1)


@pytest.mark.slow
@pytest.mark.parametrize("which", _NAMES[:5])
@pytest.mark.parametrize("ratio", [1.0, 2.0, 30.0])
def test_no_other_learning_rate_and_momentum_converge_faster(which, ratio):
    region, (low, high) = stability_region(which), (0.5, 0.5 * ratio)
    best = region.optimal(low, high)
    eta, beta, rate = (float(each) for each in (best.eta, best.beta, best.rate))
    curvatures = np.linspace(low, high, 200)

    def worst(numbers):
        more = {"beta": float(numbers[1])} if region.has_momentum else {}
        if numbers[0] <= 0 or not 0 <= numbers[1] < 1:
            return 10.0
        return float(np.max(region.rate(eta=float(numbers[0]), h=curvatures, **more)))

    assert worst((eta, beta)) == pytest.approx(rate, abs=2e-7)
    rng = np.random.default_rng(0)
    for _ in range(6):
        start = np.array([eta, beta]) * rng.uniform(0.6, 1.4, 2)
        optimum = minimize(worst, start, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12})
        assert optimum.fun >= rate - 1e-7
    if high > low:
        assert rate < 1
        assert (
            stability_region("heavy_ball").optimal(low, high).rate
            <= stability_region("gradient_descent").optimal(low, high).rate
        )


def test_published_optima():
    quadratic = {each: stability_region(each).optimal(1, 9) for each in _NAMES[:3]}  # Lessard et al. (2016), table 1
    assert quadratic["gradient_descent"].rate == sympy.Rational(4, 5)
    assert (quadratic["heavy_ball"].eta, quadratic["heavy_ball"].beta) == (sympy.Rational(1, 4), sympy.Rational(1, 4))
    assert quadratic["nesterov"].rate == 1 - 2 / sympy.sqrt(28)


@given(roots=st.lists(st.floats(-1.5, 1.5), min_size=1, max_size=4), pair=st.booleans(), size=st.floats(0.3, 1.4))
def test_schur_and_cohn_find_roots_outside(roots, pair, size):
    z = sympy.Symbol("z")
    roots = [sympy.Rational(round(each * 64), 64) for each in roots]
    factors = [z - each for each in roots]
    if pair:
        modulus = sympy.Rational(round(size * 64), 64)
        factors.append(z**2 - modulus * z + modulus**2)  # roots of that modulus, at ±60°
        roots.append(modulus)
    expected = all(abs(each) < 1 for each in roots)
    assume(all(abs(each) != 1 for each in roots))
    polynomial = sympy.Poly(3 * sympy.prod(factors), z)
    try:
        inside = all(expression > 0 for expression in schur_cohn(polynomial))
    except InvalidArgument:
        pytest.fail("refused")
    assert inside == expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stability_region("sgd"), "optimiser = 'sgd'"),
        (lambda: stability_region(None), "optimiser = None"),
        (lambda: stability_region("heavy_ball").optimal(0, 1), "h_min = 0"),
        (lambda: stability_region("heavy_ball").optimal(2, 1), "h_min = 2: must be at most"),
        (lambda: stability_region("heavy_ball").contains(eta="x", h=1), "eta = 'x'"),
        (lambda: stability_region("heavy_ball").contains(h=1), "eta = None: must be a number unless"),
        (lambda: stability_region("heavy_ball").contains(eta=math.nan, h=1), "eta = nan"),
        (lambda: schur_cohn(sympy.Poly(3, sympy.Symbol("z"))), "polynomial = "),
        (lambda: schur_cohn(sympy.Symbol("z")), "polynomial = "),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InvalidArgument, match=message):
        call()


_ADAPTIVE = ("rmsprop", "adam", "adamw")


def of_its_own(which, eta, *, beta=0.8, epsilon=1e-3, decay=0.2):
    """Return an adaptive optimiser, and the values of the symbols in what its region says."""
    more = {"rmsprop": {}, "adam": {"beta": beta}, "adamw": {"beta": beta, "weight_decay": decay}}[which]
    values = {ETA: eta, BETA: more.get("beta", 0.0), DECAY: more.get("weight_decay", 0.0), EPSILON: epsilon}
    return getattr(optimisers, which)(eta, beta2=0.9, epsilon=epsilon, **more), values


@pytest.mark.parametrize("which", _NAMES)
def test_the_region_says_whether_its_curvature_is_preconditioned(which):
    region = stability_region(which)
    assert region.is_preconditioned == (which in _ADAPTIVE)
    for told in (repr(region), region.latex(), region.curvature):
        assert ("preconditioned" in told) == region.is_preconditioned
    if not region.is_preconditioned:
        assert (limit_at_zero(region.rule, region.limit), cycle(region.rule)) == (region.limit, None)
        assert "linear" in region.near_zero
    else:
        assert text(limit_at_zero(region.rule, region.limit)) in region.near_zero
        assert text(cycle(region.rule)) in region.near_zero


@pytest.mark.parametrize("which", _ADAPTIVE)
@pytest.mark.parametrize("share", [0.95, 1.05])
def test_near_zero_the_preconditioner_is_epsilon(which, share):
    h, region = 1.3, stability_region(which)
    _, values = of_its_own(which, 1.0)
    limit = float(limit_at_zero(region.rule, region.limit).subs(values | {H: h}))
    optimiser, _ = of_its_own(which, share * limit)
    state = replace(optimiser.start([[1e-12]]), steps=10_000)  # long after the bias correction
    for _ in range(300):
        state = optimiser.step(state, [h * state.parameters[0]])
    assert (abs(state.parameters[0][0]) < 1e-12) == (share < 1)
    if which != "adamw":
        assert float(cycle(region.rule).subs({ETA: limit, BETA: values[BETA], EPSILON: 1e-3, H: h})) == pytest.approx(
            0.0
        )


@pytest.mark.parametrize("which", _ADAPTIVE)
def test_the_cycle_of_an_adaptive_optimiser_is_one(which):
    h, region = 1.3, stability_region(which)
    optimiser, values = of_its_own(which, 0.5)
    size = float(cycle(region.rule).subs(values | {H: h}))
    gradient, beta = h * size, values[BETA]
    velocity = (1 - beta) / (1 + beta) * gradient
    first = np.array([-velocity if which != "rmsprop" else 0.0])
    state = State((np.array([size]),), (first,), (np.array([gradient**2]),), steps=10_000)
    for sign in (-1, 1, -1, 1):
        state = optimiser.step(state, [h * state.parameters[0]])
        assert state.parameters[0][0] == pytest.approx(sign * size, rel=1e-9)


def test_rmsprop_stays_at_half_the_learning_rate_for_ever():
    optimiser = optimisers.rmsprop(1.0)
    state = optimiser.start([[0.3]])
    for _ in range(5000):
        state = optimiser.step(state, [state.parameters[0]])
    assert abs(state.parameters[0][0]) == pytest.approx(0.5, rel=1e-6)
    assert cycle(optimiser.rule).subs({ETA: 1, EPSILON: 0}) == sympy.Rational(1, 2)


def test_latex_and_notebooks():
    for name in _NAMES:
        region = stability_region(name)
        assert region.latex().startswith(r"0 < \eta < \frac{2")
        assert region._repr_latex_() == f"${region.latex()}$"


@pytest.mark.parametrize("which", ["gradient_descent", "heavy_ball", "nesterov"])
def test_a_region_says_what_its_own_weight_decay_does(which):
    """By running the optimiser on ½h·w²: its penalty ½λw² adds λ to h."""
    more = {} if which == "gradient_descent" else {"beta": 0.5}
    decay, h = 5.0, 2.0
    region = stability_region(getattr(optimisers, which)(0.1, weight_decay=decay, **more))
    limit = float(region.limit.subs({H: h, BETA: more.get("beta", 0.0)}))
    assert text(region.limit) in region.near_zero
    for share, settles in ((0.97, True), (1.03, False)):
        optimiser = getattr(optimisers, which)(share * limit, weight_decay=decay, **more)
        state = optimiser.start([[1.0]])
        for _ in range(2000):
            state = optimiser.step(state, [h * state.parameters[0]])
        assert (abs(state.parameters[0][0]) < 1e-9) == settles
        assert region.contains(h=h, eta=share * limit) == settles
    assert region.optimal(1, 9).eta == stability_region(which).optimal(1 + 5, 9 + 5).eta


@pytest.mark.parametrize(
    "optimiser",
    [
        optimisers.adam(0.1, amsgrad=True),
        optimisers.adamw(0.1, amsgrad=True),
        optimisers.rmsprop(0.1, centred=True),
        optimisers.adam(0.1, weight_decay=3.0),
    ],
)
def test_preconditioners_that_are_other_ones_are_refused(optimiser):
    with pytest.raises(InvalidArgument, match="must have no AMSGrad, no centring and no weight decay"):
        stability_region(optimiser)


def test_a_decoupled_decay_beyond_two_has_no_cycle():
    assert stability_region("adamw").near_zero.endswith("is a cycle while η λ < 2")
    assert stability_region("adam").near_zero.endswith("is a cycle")
