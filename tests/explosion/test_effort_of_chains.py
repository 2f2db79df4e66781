"""Questions about chains of the catalogue end too: their work is counted."""

import pytest

import gradtheory as gt
from gradtheory.errors import Undecided


@pytest.mark.parametrize(
    "ask",
    [
        lambda effort: gt.total_explosion_set(gt.Chain(2, "gelu"), w=[2, 2], b=[0, 1], effort=effort),
        lambda effort: gt.total_explosion_set(gt.Chain(3, "silu"), w=[9, 3, 2], b=[0, 1, 0], effort=effort),
    ],
)
def test_little_effort_is_not_enough(ask):
    with pytest.raises(Undecided, match=r"effort=0\.0001"):
        ask(0.0001)


def test_effort_is_counted_not_timed():
    chain = gt.Chain(2, "gelu")
    assert gt.total_explosion_set(chain, w=[2, 2], b=[0, 1]) == gt.total_explosion_set(
        chain, w=[2, 2], b=[0, 1], effort=10**6
    )
