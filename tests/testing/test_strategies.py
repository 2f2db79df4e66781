"""Strategies: what they draw is exact in its float type, reaches the hard places, and shrinks."""

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.testing import strategies
from gradtheory.testing.cases import Generated, chain_case, fixed_cases, network_case

_ANY = settings(max_examples=2000, database=None, derandomize=True, suppress_health_check=list(HealthCheck))


def layers(case):
    """Yield the record, z and a of every layer of a chain."""
    a = case.x
    for record, weight, bias in zip(case.chain.layer_activations, case.w, case.b, strict=True):
        z = weight * a + bias
        a = record.value(z)
        yield record, z, a


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_chains_are_exact_in_their_type_and_stay_moderate(dtype, data):
    case = data.draw(strategies.chains(dtype=dtype))
    for array in case[1:]:
        assert np.array_equal(array, array.astype(dtype))
        assert array.dtype == np.float64
    assert case.x.shape == case.y.shape
    assert case.w.shape == case.b.shape == (case.chain.depth,)
    for _, _, a in layers(case):
        assert np.abs(a).max() <= (1e2 if dtype == np.float32 else 1e6)
    gradients = case.chain.backprop(*case[1:])
    assert np.isfinite(gradients.w).all()


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "hard",
    [
        lambda case: any(z in map(float, record.kinks) for record, zs, _ in layers(case) for z in zs),
        lambda case: any(np.abs(z).max() > 700 for _, z, _ in layers(case)),
        lambda case: case.chain.depth == 6,
        lambda case: len(case.x) == 4,
        lambda case: any(w < 0 for w in case.w),
        lambda case: 0.0 in case.w,
        lambda case: case.chain.layer_activations[0].name == "gelu",
        lambda case: any(0 < abs(abs(w) - 1.0) < 1e-9 for w in case.w),
    ],
)
def test_the_hard_places_are_reached(hard):
    find(strategies.chains(strategies.activations(["relu", "gelu", "hard_tanh", "tanh"])), hard, settings=_ANY)


@pytest.mark.slow
def test_chains_shrink():
    case = find(strategies.chains(), lambda case: abs(case.chain.backprop(*case[1:]).x).max() > 0, settings=_ANY)
    assert case.chain.depth == 1
    assert case.chain.layer_activations[0].name == "sigmoid"
    assert [array.tolist() for array in case[1:]] == [[1.0], [0.0], [1.0], [1.0]]
    deep = find(strategies.chains("tanh"), lambda case: case.chain.depth >= 3 and len(case.x) >= 2, settings=_ANY)
    assert (deep.chain.depth, len(deep.x)) == (3, 2)
    assert set(np.concatenate(deep[1:])) <= {0.0, 1.0}


@given(case=strategies.networks(widths=(2, 3, 1), loss="cross_entropy", activation="sigmoid"))
def test_networks_have_the_widths_and_targets_asked_for(case):
    assert case.network.widths == (2, 3, 1)
    assert [each.shape for each in case.w] == [(3, 2), (1, 3)]
    assert [each.shape for each in case.b] == [(3,), (1,)]
    assert case.y.min() >= 0
    assert case.y.max() <= 1


@given(w=strategies.weights("gelu"), c=strategies.thresholds(), x=strategies.data(3), some=strategies.data())
def test_the_parts(w, c, x, some):
    assert abs(w) <= 10
    assert c > 0
    assert x.shape == (3,)
    assert 1 <= some.size <= 8
    assert gt.arrays.explosion_width("gelu", w, threshold=c) >= 0


def test_weights_come_within_a_unit_of_the_critical_one():
    close = find(strategies.weights("sigmoid"), lambda w: 0 < abs(w) - 4 < 1e-14, settings=_ANY)
    assert gt.arrays.explosion_width("sigmoid", close) > 0


@pytest.mark.parametrize("build", [chain_case, network_case])
def test_fixed_cases_are_the_same_at_every_call(build):
    first, second = (fixed_cases(lambda source: build(source, "relu"), 20) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        for here, there in zip(one[1:], other[1:], strict=True):
            for left, right in zip(here, there, strict=True):
                np.testing.assert_array_equal(left, right)


def test_generated_choices_lie_between_their_ends():
    source = Generated(np.random.default_rng(0))
    assert {source.integer(2, 4) for _ in range(99)} == {2, 3, 4}
    assert {source.choice("ab") for _ in range(99)} == {"a", "b"}
    assert all(1.0 <= source.real(1.0, 2.0) <= 2.0 for _ in range(99))


def test_fixed_cases_leave_out_no_kink_and_no_saturating_bias():
    cases = fixed_cases(lambda source: chain_case(source, "hard_tanh"), 36)
    assert {30.0, -30.0, 100.0, -100.0, 800.0, -800.0} <= {bias for case in cases for bias in case.b}
    assert {-1.0, 1.0} <= {z for case in cases for z in case.w[0] * case.x + case.b[0]}


@given(strategies.chains(loss="cross_entropy"))
def test_activations_fit_the_loss(case):
    assert case.chain.layer_activations[-1].is_within_unit_interval
