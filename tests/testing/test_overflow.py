"""Where a right implementation overflows, nothing can be said of what it makes from that."""

import pytest

from gradtheory import testing
from gradtheory.errors import Undecided
from tests.testing.test_testing import chain_gradients


def test_a_loss_whose_slope_overflows_is_undecided():
    """∂C/∂z₂ is e⁸⁰⁰, but ∂C/∂x is 1e66: the weight of layer 1 is 1e-281."""
    with pytest.raises(Undecided, match="δ overflows float64"):
        testing.assert_gradients_at(
            chain_gradients("cloglog", "cross_entropy"),
            x=[1.0],
            y=[0.0],
            w=[1e-281, 1.0],
            b=[1.0, 800.0],
            activation="cloglog",
            loss="cross_entropy",
        )
