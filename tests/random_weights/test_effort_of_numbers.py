"""Numbers of random weights end for every expression of one's own: the work is counted."""

import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.arithmetic import effort
from gradtheory.arithmetic.effort import _UNITS, spend
from gradtheory.errors import InvalidArgument, Undecided

_STEEP = Z**45 * sympy.exp(-(Z**2) / 5)


@pytest.mark.parametrize(
    "ask",
    [
        lambda effort: gt.lyapunov_exponent(_STEEP, 1.25, 1, effort=effort),
        lambda effort: gt.lyapunov_exponent(_STEEP, [1.25, 2.0], 1, effort=effort),
        lambda effort: gt.meanfield.depth_scales(_STEEP, 1, 1, effort=effort),
        lambda effort: gt.meanfield.fixed_points(_STEEP, 1, 1, effort=effort),
        lambda effort: gt.meanfield.critical_initialisation(_STEEP + Z, effort=effort),
    ],
)
def test_numbers_of_ones_own_expression_end_within_an_effort_and_say_what_helps(ask):
    with pytest.raises(
        Undecided,
        match=r"not decided within effort=0\.001, about 0\.001 s of work; take scales .* or ask again with effort=0\.01",
    ):
        ask(0.001)
    with pytest.raises(InvalidArgument, match="effort = -1"):
        ask(-1)


def test_arrays_get_as_much_for_each_number():
    @effort.limited
    def work(activation, q, *, effort):
        spend(2.5 * _UNITS)
        return activation, q, effort

    assert work(Z, [1.0, 2.0, 3.0], effort=1)
    with pytest.raises(Undecided, match=r"effort=1, about 1 s of work; .* effort=10"):
        work(Z, [1.0, 2.0], effort=1)
    assert work("sigmoid", 1.0, effort=1)  # of the catalogue, which needs no limit
