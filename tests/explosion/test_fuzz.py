"""A short run of the fuzz; `python -m tests.explosion.fuzz` makes a long one."""

import pytest
import sympy

import gradtheory as gt
from tests.explosion import fuzz, own_fuzz


def test_no_membership_is_wrong(cases):
    counts, wrong = fuzz.run(checks=15 * cases, seed=2)
    assert not wrong
    assert counts["undecided"] < 10


def test_a_wrong_set_would_be_seen(monkeypatch):
    right = gt.explosion_set
    monkeypatch.setattr(gt, "explosion_set", lambda name, w, b, **kwargs: right(name, w, b + w / 10**6, **kwargs))
    assert fuzz.run(checks=300, seed=2)[1]


# ---- expressions of one's own


@pytest.mark.parametrize(
    ("number", "seed"), [(2, 1), *(pytest.param(10, seed, marks=pytest.mark.slow) for seed in range(2, 6))]
)
def test_no_set_of_a_random_expression_is_wrong(number, seed):
    counts, wrong, _ = own_fuzz.run(number, seed)
    assert not wrong
    assert counts["right"] > number / 2


def test_a_wrong_set_of_a_random_expression_would_be_seen(monkeypatch):
    def lost(expr, w):
        return gt.activation(expr) and sympy.S.EmptySet

    monkeypatch.setattr(own_fuzz.gt, "explosion_set", lost)
    _, wrong, _ = own_fuzz.run(6, 1)
    assert wrong
