"""Certificates at weights so large that crossings lie 1e-30 and less beside the place where σ' is 0."""

import itertools
from fractions import Fraction

import pytest

import gradtheory as gt
from gradtheory.checker import check


@pytest.mark.parametrize(
    ("activation", "w"),
    [
        ("gelu", "1e30"),
        pytest.param("silu", "-1e150", marks=pytest.mark.slow),
        *(pytest.param(name, "1e30", marks=pytest.mark.slow) for name in ("mish", "gelu_tanh", "silu")),
    ],
)
def test_crossings_beside_a_zero_of_the_slope_are_told_from_it(activation, w):
    proof = gt.certificate(activation, w)
    assert check(proof).reason is None
    brackets = [tuple(Fraction(crossing[end]) for end in ("lower", "upper")) for crossing in proof["crossings"]]
    assert all(here[1] < there[0] for here, there in itertools.pairwise(brackets))
