"""Training: what is recorded, the events and their causes, and that a run that diverges is a result."""

import math

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.overflow import FLOAT_TYPES
from gradtheory.training import EventKind, train
from gradtheory.training.optimisers import adam, gradient_descent, heavy_ball
from gradtheory.training.remedies import clip_by_global_norm, soft_threshold, warm_up

_X = np.linspace(-1, 1, 20)
_Y = (_X > 0) * 1.0


def kinds(run):
    return {event.kind for event in run.events}


@given(seed=st.integers(0, 2**32), depth=st.integers(1, 6), steps=st.integers(0, 12))
def test_every_row_is_what_backprop_says_there(seed, depth, steps):
    rng = np.random.default_rng(seed)
    chain = gt.Chain(depth, "tanh")
    optimiser = heavy_ball(0.05, 0.9)
    run = train(chain, _X, _Y, rng.normal(size=depth), rng.normal(size=depth), optimiser=optimiser, steps=steps)
    assert run.steps == steps
    assert run.w.shape == run.b.shape == run.layer_norms.shape == run.factors.shape == (steps + 1, depth)
    assert run.loss.shape == run.gradient_norm.shape == (steps + 1,)
    velocity = np.zeros((2, depth))
    for k in range(steps + 1):
        gradients = chain.backprop(_X, _Y, run.w[k], run.b[k])
        assert run.loss[k] == gradients.loss
        np.testing.assert_allclose(run.layer_norms[k], np.hypot(gradients.w, gradients.b), rtol=1e-12)
        assert run.gradient_norm[k] == pytest.approx(math.hypot(*gradients.w, *gradients.b), rel=1e-12)
        a, factors = _X, []
        for weight, bias in zip(run.w[k], run.b[k], strict=True):
            a = np.tanh(weight * a + bias)
            factors.append(np.max(np.abs((1 - a**2) * weight)))
        np.testing.assert_allclose(run.factors[k], factors, rtol=1e-9)
        if k < steps:
            velocity = 0.9 * velocity + np.array([gradients.w, gradients.b])
            np.testing.assert_allclose(run.w[k + 1], run.w[k] - 0.05 * velocity[0], rtol=1e-12, atol=1e-15)
            np.testing.assert_allclose(run.b[k + 1], run.b[k] - 0.05 * velocity[1], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("which", ["gaussian", "gelu", "cosine"])
def test_slopes_that_fall_count_as_much(which):
    record = gt.activation(which)
    x = np.linspace(-3, -1, 7) if which == "gelu" else np.linspace(0.2, 2, 7)  # where the slope is negative
    run = train(gt.Chain(2, which), x, 0.0, [1.0, -2.0], [0.0, -0.3], optimiser=gradient_descent(0.1), steps=0)
    first = np.abs(record.slope(x))
    second = np.abs(record.slope(-2.0 * record.value(x) - 0.3))
    np.testing.assert_allclose(run.factors[0], [first.max(), 2.0 * second.max()], rtol=1e-12)


def test_a_run_that_overflows_ends_with_what_it_had():
    run = train(gt.Chain(5, "identity"), [1.0], [0.0], [3.0] * 5, [0.0] * 5, optimiser=gradient_descent(1.0), steps=100)
    assert run.has_diverged
    assert 0 < run.steps < 100
    assert np.isfinite(run.loss).all()
    assert np.isfinite(run.w).all()
    last = run.events[-1]
    assert (last.kind, last.step) == (EventKind.OVERFLOW, run.steps + 1)
    assert "above the stable limit" in last.cause
    assert "diverged" in repr(run)
    assert str(last).startswith(f"step {last.step}: overflow")
    assert last.is_fatal


def test_a_loss_that_overflows_at_the_start_is_a_result_too():
    run = train(gt.Chain(2, "identity"), [1e200], [0.0], [1e200, 1.0], [0.0, 0.0], optimiser=gradient_descent(1.0))
    assert (run.steps, run.has_diverged, run.loss.shape, run.w.shape) == (0, True, (0,), (0, 2))
    assert "at the start" in run.events[0].cause
    assert "nothing finite" in repr(run)


def test_not_a_number_is_told_from_overflow():
    run = train(
        gt.Chain(1, "identity"), [1.0], [0.0], [1.0], [0.0], optimiser=gradient_descent(0.1), steps=3,
        clip=lambda gradients: [each * math.nan for each in gradients],
    )  # fmt: skip
    assert [event.kind for event in run.events] == [EventKind.NAN]
    assert (run.events[0].step, run.events[0].layer) == (1, 1)


def test_entry_into_the_explosion_set_is_named_once_per_stay():
    run = train(gt.Chain(3), _X, _Y, [6.0, 3.0, 6.0], [0.0, 0.0, -3.0], optimiser=gradient_descent(0.01), steps=3)
    entered = [event for event in run.events if event.kind is EventKind.EXPLOSION]
    assert [(event.step, event.layer) for event in entered] == [(0, 1), (0, 3)]
    assert "w = 6" in entered[0].cause
    for event in entered:
        assert run.factors[event.step, event.layer - 1] > 1


def test_saturation_and_loss_jumps_are_named_with_their_cause():
    run = train(gt.Chain(3), _X, _Y, [6.0] * 3, [-3.0] * 3, optimiser=gradient_descent(100.0), steps=5)
    assert EventKind.SATURATION in kinds(run)
    run = train(gt.Chain(1, "identity"), _X, _Y, [1.0], [0.0], optimiser=gradient_descent(0.5), steps=5)
    jumps = [event for event in run.events if event.kind is EventKind.LOSS_JUMP]
    assert jumps
    assert "above the stable limit" in jumps[0].cause
    steady = train(gt.Chain(1, "identity"), _X, _Y, [1.0], [0.0], optimiser=gradient_descent(0.05), steps=50)
    assert steady.events == ()
    assert np.all(np.diff(steady.loss) <= 1e-12)
    noisy = train(gt.Chain(1, "identity"), _X, _Y, [1.0], [0.0], optimiser=adam(50.0), steps=5)
    assert not any("stable limit" in event.cause for event in noisy.events)


@pytest.mark.slow
def test_clipping_a_schedule_and_a_proximal_step():
    def run(**more):
        return train(
            gt.Chain(2, "tanh"), _X, 5 * _Y, [2.0, 3.0], [0.0, 0.0], optimiser=gradient_descent(0.1), steps=40, **more
        )

    clipped = run(clip=lambda gradients: clip_by_global_norm(gradients, 0.5).gradients)
    moved = np.hypot(
        np.linalg.norm(np.diff(clipped.w, axis=0), axis=1), np.linalg.norm(np.diff(clipped.b, axis=0), axis=1)
    )
    assert moved.max() <= 0.05 * (1 + 1e-12)
    assert moved.max() > 0.049
    assert np.linalg.norm(np.diff(run().w, axis=0), axis=1).max() > 0.1
    slow = run(schedule=warm_up(0.1, 10))
    np.testing.assert_allclose(slow.w[1] - slow.w[0], (run().w[1] - run().w[0]) / 10, rtol=1e-12)
    sparse = train(
        gt.Chain(1, "identity"), _X, 0.1 * _X, [0.5], [0.0], optimiser=gradient_descent(0.02), steps=500,
        proximal=lambda weights: soft_threshold(weights, 0.02 * 10.0),
    )  # fmt: skip
    assert sparse.w[-1][0] == 0.0


def observed(weight, dtype):
    """Return after how many layers the gradient of a linear chain, multiplied in that type, is inf or 0."""
    gradient, factor = dtype(1), dtype(weight)
    with np.errstate(all="ignore"):
        for layer in range(1, 100_000):
            gradient = dtype(gradient * factor)
            if not np.isfinite(gradient) or gradient == 0:
                return layer
    return None


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("weight", [2.0, 4.0, 1.5, 0.5, 0.25])
def test_the_depth_at_which_a_float_type_gives_up_is_predicted(dtype, weight):
    predicted, seen = gt.overflow_depth(weight, dtype.__name__), observed(weight, dtype)
    # 1.5 rounds in every layer; halves are exact, and half the least positive number goes to 0
    assert abs(seen - predicted) <= (1 if weight == 1.5 else 0)


@pytest.mark.parametrize("dtype", FLOAT_TYPES)
def test_the_weight_at_which_a_float_type_gives_up_is_predicted(dtype):
    for depth in (10, 50):
        growth = gt.overflow_growth(depth, dtype)
        assert gt.overflow_depth(growth * (1 + sympy.Rational(1, 10**9)), dtype) == depth
        assert gt.overflow_depth(growth * (1 - sympy.Rational(1, 10**9)), dtype) == depth + 1
        if dtype != "bfloat16":  # NumPy has none
            for factor in (1.03, 0.97):
                seen = observed(float(growth) * factor, getattr(np, dtype))
                assert (seen <= depth) == (factor > 1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": [math.nan]}, "x = "),
        ({"y": ["a"]}, "y = "),
        ({"w": [1.0]}, r"w.shape = \(1,\)"),
        ({"b": [[0.0, 0.0]]}, r"b.shape = \(1, 2\)"),
        ({"x": [1.0, 2.0], "y": [1.0, 2.0, 3.0]}, "shapes of x, y"),
        ({"steps": -1}, "steps = -1"),
        ({"steps": 1.5}, r"steps = 1\.5"),
        ({"optimiser": "adam"}, "optimiser = 'adam'"),
        ({"optimiser": None}, "optimiser = None"),
        ({"schedule": lambda *_: -1.0}, "eta = -1"),
    ],
)
def test_bad_input_is_named(changed, message):
    given_ = {"x": [1.0], "y": [0.0], "w": [1.0, 1.0], "b": [0.0, 0.0], "optimiser": gradient_descent(0.1), "steps": 2}
    given_ |= changed
    with pytest.raises(InvalidArgument, match=message):
        train(gt.Chain(2), given_.pop("x"), given_.pop("y"), given_.pop("w"), given_.pop("b"), **given_)


def test_a_symbolic_depth_is_refused():
    chain = gt.Chain(sympy.Symbol("L", integer=True, positive=True))
    with pytest.raises(InvalidArgument, match="depth = L"):
        train(chain, [1.0], [0.0], [1.0], [0.0], optimiser=gradient_descent(0.1))


def test_a_run_that_swings_for_long_is_told_in_one_event_of_each_kind():
    x, y = np.linspace(-1, 1, 11), (np.linspace(-1, 1, 11) > 0) * 1.0
    run = train(gt.Chain(1, "identity"), x, y, [1.0], [0.0], optimiser=gradient_descent(0.3), steps=50)
    jumped = [k for k in range(1, len(run.loss)) if run.loss[k] > 2 * run.loss[k - 1] > 2e-300]
    assert run.jumps == tuple(jumped)
    (jump,) = [event for event in run.events if event.kind is EventKind.LOSS_JUMP]
    assert len(jumped) > 40
    assert (jump.step, jump.last_step, jump.count) == (jumped[0], jumped[-1], len(jumped))
    assert str(jump).endswith(f"; {jump.count} times up to step {jump.last_step}")
    swinging = train(gt.Chain(2, "tanh"), x, y, [3.0, 3.0], [0.0, 0.0], optimiser=gradient_descent(2.0), steps=200)
    told = [(event.kind, event.layer) for event in swinging.events]
    assert len(told) == len(set(told))
    for event in swinging.events:
        if event.kind is EventKind.EXPLOSION:
            above = swinging.factors[:, event.layer - 1] > 1
            begins = [k for k in range(len(above)) if above[k] and not (k and above[k - 1])]
            assert (event.step, event.last_step, event.count) == (begins[0], begins[-1], len(begins))
    assert any(event.count > 1 for event in swinging.events)


def test_a_run_ends_in_an_event_where_second_derivatives_reach_1e157():
    """The eigenvalues of a Hessian so large did not converge, and the run ended in an error of NumPy's."""
    chain = gt.Chain(8, ["tanhshrink"] * 7 + ["sigmoid"], "cross_entropy")
    w, b = [6.3, -1.0, -3.4, -0.5, 3.2, -2.8, 5.9, -2.7], [1.0, 0.5, -0.2, 1.1, -1.5, 1.4, -0.1, -0.5]
    run = train(chain, [0.7, 1.1, 0.8], [1.0, 0.0, 0.5], w, b, optimiser=gradient_descent(32.0), steps=30)
    assert run.has_diverged
    assert "the loss is not finite" in str(run.events[-1])
    assert "η = 32 was above the stable limit" in str(run.events[-1])
