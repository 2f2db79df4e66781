"""The Hessian: SymPy's own derivatives, two NumPy computations of another kind, central differences at 60 digits."""

import itertools
import math

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.activations.slopes.branch import Z
from gradtheory.arithmetic.enclosure import enclose
from gradtheory.arithmetic.functions import stable
from gradtheory.chains.curvature import (
    curvature_recursion,
    hessian,
    hessian_vector_product,
    second_derivative,
)
from gradtheory.errors import InvalidArgument
from gradtheory.networks.curvature import sharpness
from gradtheory.training.optimisers import gradient_descent, heavy_ball
from gradtheory.training.stability import largest_stable_step

_SMOOTH = ("sigmoid", "tanh", "gelu", "sine", "softplus", "mish", "arctan")


def test_the_second_derivative_of_every_activation(shape):
    record = gt.activation(shape)
    z = np.concatenate([np.linspace(-12, 12, 49) + 0.013, [-1000.0, -60.0, 60.0, 1000.0, 1e-9, -1e-9]])
    bend = stable(record.slope_expr).diff(Z)
    bends = record.bend(z)
    assert bends.shape == z.shape
    for place, value in zip(z, bends, strict=True):
        exact = enclose(bend.subs(Z, sympy.Rational(float(place))), 200)
        expected = float(exact.mid()) if exact.is_finite() else 0.0
        if math.isinf(value):
            assert shape == "exponential"
            continue
        assert abs(value - expected) <= 1e-14 * max(1.0, abs(expected)) + 1e-15 * abs(place), place


def symbols_and_closed(chain, entry):
    """Return an entry of the Hessian with every named quantity eliminated."""
    values = {}
    for equation in (*chain.backward(), *curvature_recursion(chain)):
        values[equation.lhs] = equation.rhs.xreplace(values)
    return chain.substitute(entry.xreplace(values))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("which", "loss"),
    [
        ("tanh", "squared"),
        ("arctan", "squared"),
        ("sigmoid", "cross_entropy"),
        (("sine", "gelu", "sigmoid"), "squared"),
    ],
)
def test_every_entry_is_the_derivative_of_the_nested_loss(which, loss):
    chain = gt.Chain(3, which, loss=loss)
    closed = chain.substitute(chain.forward()[-1].rhs)
    parameters = [*chain.w, *chain.b]
    rng = np.random.default_rng(0)
    point = {each: sympy.Rational(int(rng.integers(-40, 40)), 29) for each in (*parameters, chain.x)} | {
        chain.y: sympy.Rational(1, 3)
    }
    for row, first in enumerate(parameters):
        for second in parameters[row:]:
            entry = second_derivative(chain, first, second)
            assert entry == second_derivative(chain, second, first)
            difference = symbols_and_closed(chain, entry) - closed.diff(first, second)
            assert abs(sympy.N(difference.subs(point), 40)) < 1e-30, (first, second)


def test_entries_have_a_number_of_factors_linear_in_the_depth():
    for depth in (10, 20, 40):
        chain = gt.Chain(depth)
        assert second_derivative(chain, chain.b[1], chain.b[depth]).count_ops() < 12 * depth


@pytest.mark.parametrize("which", ["arctan", "sigmoid", "sine"])
def test_a_chain_of_symbolic_depth_becomes_each_concrete_one(which):
    depth, k, layer = sympy.symbols("L k l", integer=True, positive=True)
    deep, chain = gt.Chain(depth, which), gt.Chain(5, which)

    def made_concrete(expr, *, lower, upper):
        return expr.subs({k: lower, layer: upper, depth: 5}).doit()

    for first, second in itertools.product("wb", repeat=2):
        general = second_derivative(deep, getattr(deep, first)[k], getattr(deep, second)[layer])
        same = second_derivative(deep, getattr(deep, first)[k], getattr(deep, second)[k])
        next_one = second_derivative(deep, getattr(deep, second)[k + 1], getattr(deep, first)[k])
        for lower, upper in itertools.combinations(range(1, 6), 2):
            wanted = second_derivative(chain, getattr(chain, first)[lower], getattr(chain, second)[upper])
            assert made_concrete(general, lower=lower, upper=upper).equals(wanted)
        at_one = second_derivative(chain, getattr(chain, first)[2], getattr(chain, second)[2])
        assert made_concrete(same, lower=2, upper=2).equals(at_one)
        wanted = second_derivative(chain, getattr(chain, first)[4], getattr(chain, second)[5])
        assert made_concrete(next_one, lower=4, upper=5).equals(wanted)
    general_last, general_layer = curvature_recursion(deep)
    last, *below = curvature_recursion(chain)
    assert (general_last.lhs.subs(depth, 5), general_last.rhs.subs(depth, 5)) == last.args
    for equation in below:
        number = int(str(equation.lhs).removeprefix("kappa_"))
        assert general_layer.lhs.subs(layer, number) == equation.lhs
        assert general_layer.rhs.subs(layer, number).equals(equation.rhs)


@st.composite
def problems(draw):
    depth = draw(st.integers(1, 9))
    names = draw(st.lists(st.sampled_from(_SMOOTH), min_size=depth, max_size=depth))
    loss = "squared"
    if draw(st.booleans()):
        names[-1], loss = draw(st.sampled_from(["sigmoid", "cloglog"])), "cross_entropy"
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    w, b = rng.normal(0, 1.5, (2, depth))
    x, y = rng.normal(size=4), rng.uniform(size=4)
    return gt.Chain(depth, names, loss=loss), x, y, w, b


@given(problem=problems())
def test_the_matrix_is_what_the_products_say(problem):
    chain = problem[0]
    matrix = hessian(*problem)
    products = np.array([hessian_vector_product(*problem, each) for each in np.eye(2 * chain.depth)])
    scale = np.abs(matrix).max()
    np.testing.assert_allclose(matrix, products, atol=1e-13 * scale)
    np.testing.assert_array_equal(matrix, matrix.T)


@given(problem=problems())
def test_the_matrix_is_the_slope_of_the_gradient(problem):
    chain, x, y, w, b = problem
    matrix, depth = hessian(*problem), chain.depth
    step = 1e-5

    def gradient(moved):
        gradients = chain.backprop(x, y, w + moved[:depth], b + moved[depth:])
        return np.concatenate([gradients.w, gradients.b])

    for row, direction in zip(matrix, np.eye(2 * depth), strict=True):
        difference = (gradient(step * direction) - gradient(-step * direction)) / (2 * step)
        np.testing.assert_allclose(row, difference, atol=2e-7 * max(1.0, np.abs(matrix).max()))


def test_the_matrix_at_sixty_digits():
    depth, w, b, x, y = 4, [1.5, -2.0, 0.7, 3.0], [0.1, -0.4, 0.2, 0.0], 0.3, 0.8

    def loss(*numbers):
        a = mpmath.mpf(x)
        for weight, bias in zip(numbers[:depth], numbers[depth:], strict=True):
            a = mpmath.tanh(weight * a + bias)
        return (a - mpmath.mpf(y)) ** 2 / 2

    matrix = hessian(gt.Chain(depth, "tanh"), x, y, w, b)
    with mpmath.workdps(60):
        start, step = [mpmath.mpf(each) for each in (*w, *b)], mpmath.mpf(10) ** -15
        for i in range(2 * depth):
            for j in range(2 * depth):
                total = 0
                for one in (-1, 1):
                    for other in (-1, 1):
                        moved = list(start)
                        moved[i] += one * step
                        moved[j] += other * step
                        total += one * other * loss(*moved)
                assert matrix[i, j] == pytest.approx(float(total / (4 * step**2)), rel=1e-12, abs=1e-14)


@given(problem=problems())
def test_sharpness_is_the_largest_eigenvalue(problem):
    eigenvalues = np.linalg.eigvalsh(hessian(*problem))
    assert sharpness(*problem) == pytest.approx(eigenvalues[-1], rel=1e-8, abs=1e-10 * np.abs(eigenvalues).max())


def test_a_flat_loss_has_no_sharpness():
    chain = gt.Chain(2, "relu")
    assert sharpness(chain, [1.0], [0.5], [-1.0, -1.0], [-1.0, -1.0]) == 0
    assert (
        largest_stable_step(chain, [1.0], [0.5], [-1.0, -1.0], [-1.0, -1.0], optimiser=gradient_descent(0.1))
        == math.inf
    )


@pytest.mark.parametrize("bias", [-0.3, -0.5, -1.1, -3.7])
@pytest.mark.parametrize("x", [0.7, 1.0, 1.3])
def test_a_curvature_that_only_rounding_makes_is_0_with_its_error(bias, x):
    """The Hessian of one layer at one sample has rank 1; here it is negative, and its other eigenvalue 0."""
    problem = gt.Chain(1, "tanh"), [x], [1e3], [-0.5], [bias]
    least = np.linalg.eigvalsh(hessian(*problem))[0]
    h = sharpness(*problem)
    assert (h, least < 0) == (0.0, True)
    assert 0 < h.error < 1e-13 * abs(least)
    assert largest_stable_step(*problem, optimiser=gradient_descent(0.1)) == math.inf


@pytest.mark.parametrize("depth", [3, 40])  # the matrix itself, and Lanczos's method
def test_sharpness_holds_within_its_error(depth):
    rng = np.random.default_rng(depth)
    for scale in (0.3, 1.0, 3.0):
        w, b = rng.normal(0, scale, (2, depth))
        problem = gt.Chain(depth, "tanh"), [-0.7, 0.4], [0.0, 1.0], w, b
        h, exact = sharpness(*problem), np.linalg.eigvalsh(hessian(*problem))
        assert abs(h - exact[-1]) <= h.error + 1e-14 * np.abs(exact).max()
        assert h.error <= 1e-8 * np.abs(exact).max()
        assert h == sharpness(*problem)


@given(problem=problems(), beta=st.sampled_from([0.0, 0.5, 0.9]))
def test_the_stable_step_is_stable_on_the_quadratic_and_no_larger_one_is(problem, beta):
    matrix = hessian(*problem)
    optimiser = heavy_ball(1.0, beta)
    limit = largest_stable_step(*problem, optimiser=optimiser)
    eigenvalues = np.linalg.eigvalsh(matrix)
    assume(eigenvalues[-1] > 1e-3)
    assert limit == pytest.approx(2 * (1 + beta) / eigenvalues[-1], rel=1e-6)
    for share in (0.99, 1.01):
        rule = heavy_ball(share * limit, beta)
        state = rule.start([1.0])
        for _ in range(3000):
            state = rule.step(state, [eigenvalues[-1] * state.parameters[0]])
            if abs(state.parameters[0]) > 1e3:
                break
        assert (abs(state.parameters[0]) < 1) == (share < 1)


def test_sharpness_grows_with_the_weights_and_the_depth():
    def at(depth, weight):
        return sharpness(gt.Chain(depth, "identity"), 1.0, 0.0, [weight] * depth, [0.0] * depth)

    sizes = [at(depth, 1.5) for depth in (2, 4, 8, 16)]
    assert all(np.diff(np.log(sizes)) / (2 * np.diff([2, 4, 8, 16]) * math.log(1.5)) > 0.9)  # at least about w^(2L)
    assert at(6, 2.0) > 10 * at(6, 1.2)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda c: hessian(c, [math.nan], [0.0], [1.0], [0.0]), "x = "),
        (lambda c: hessian(c, [1.0], [0.0], [1.0, 2.0], [0.0]), r"w.shape = \(2,\)"),
        (lambda c: hessian(c, [1.0, 2.0], [0.0, 1.0, 2.0], [1.0], [0.0]), "shapes of x, y"),
        (lambda c: hessian_vector_product(c, 1.0, 0.0, [1.0], [0.0], [1.0]), "v.shape"),
        (lambda c: sharpness(c, [1e200], [0.0], [1e200], [0.0]), "overflow"),
        (lambda c: largest_stable_step(c, 1.0, 0.0, [1.0], [0.0], optimiser="adam"), "optimiser = "),
        (lambda c: second_derivative(c, c.x, c.w[1]), "first = x"),
        (lambda c: second_derivative(c, sympy.Symbol("q"), c.w[1]), "wrt = q"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(InvalidArgument, match=said):
        call(gt.Chain(1, "identity"))
