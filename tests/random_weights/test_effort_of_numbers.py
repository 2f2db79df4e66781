"""Numbers of random weights end for every expression of one's own: the work is counted."""

import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.arithmetic import effort
from gradtheory.arithmetic.effort import within
from gradtheory.errors import Undecided

_STEEP = Z**45 * sympy.exp(-(Z**2) / 5)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: gt.lyapunov_exponent(_STEEP, 1, 1),
        lambda: gt.lyapunov_exponent(_STEEP, [1.0, 2.0], 1),
        lambda: gt.meanfield.depth_scales(_STEEP, 1, 1),
        lambda: gt.meanfield.fixed_points(_STEEP, 1, 1),
        lambda: gt.meanfield.critical_initialisation(Z**45 * sympy.exp(-(Z**2) / 5) + Z),
    ],
)
def test_numbers_of_ones_own_expression_end_within_an_effort(ask):
    with pytest.raises(Undecided, match=r"not decided within effort=0\.001"), within(0.001, "take other scales"):
        ask()


def test_an_effort_that_is_used_up_says_what_helps(monkeypatch):
    monkeypatch.setattr(effort, "EFFORT", 0.001)
    with pytest.raises(
        Undecided, match=r"take scales at which .* within gradtheory\.arithmetic\.effort\.within\(0\.01\)"
    ):
        gt.lyapunov_exponent(_STEEP, 1.25, 1)
    with pytest.raises(Undecided, match=r"effort=0\.002"):  # arrays get as much for each number
        gt.lyapunov_exponent(_STEEP, [1.25, 1.5], 1)
    assert gt.lyapunov_exponent("sigmoid", 1.25, 1).value < 0
