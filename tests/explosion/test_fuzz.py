"""A short run of the fuzz; `python -m tests.explosion.fuzz` makes a long one."""

import itertools
import random
import signal

import mpmath
import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import Z
from tests.explosion import fuzz, own_expressions, own_fuzz, own_oracle

_TINY = sympy.Rational(1, 10**20)


def test_no_membership_is_wrong(cases):
    counts, wrong = fuzz.run(checks=15 * cases, seed=2)
    assert not wrong
    assert counts["undecided"] < 10


def test_a_wrong_set_would_be_seen(monkeypatch):
    right = gt.explosion_set
    monkeypatch.setattr(gt, "explosion_set", lambda name, w, b, **kwargs: right(name, w, b + w / 10**6, **kwargs))
    assert fuzz.run(checks=300, seed=2)[1]


# ---- expressions of one's own


@pytest.mark.parametrize(("number", "seed"), [(1, 1), pytest.param(25, 2, marks=pytest.mark.slow)])
def test_no_set_of_a_random_expression_is_wrong(number, seed):
    results = own_fuzz.run(range(number), seed, certify=5)
    right = [each for each in results if each.outcome == "right"]
    assert [each.text for each in results if each.outcome in ("wrong", "hung")] == []
    assert len(right) > 0.9 * number
    assert all(each.tried > 10 for each in right)
    assert any(each.certificate == "verified" for each in results)


def test_a_wrong_set_of_a_random_expression_would_be_seen(monkeypatch):
    monkeypatch.setattr(own_fuzz.gt, "explosion_set", lambda expr, w: gt.activation(expr) and sympy.S.EmptySet)
    results = own_fuzz.run(range(3, 5), 1, certify=100)
    assert any(each.outcome == "wrong" and "about x" in each.text for each in results)


@pytest.mark.parametrize(
    ("expr", "claimed"),
    [
        (sympy.Max(0, sympy.Min(Z - 50, _TINY)) / _TINY, sympy.S.EmptySet),  # a ramp 1e-20 wide
        (sympy.tanh(10**8 * (Z - 10**7)), sympy.S.EmptySet),  # a narrow step, far away
        (sympy.tanh(2 * Z), sympy.Interval.open(-sympy.oo, sympy.oo)),
        (sympy.Abs(Z) * 2, sympy.Union(sympy.Interval.open(-sympy.oo, 0), sympy.Interval.open(1, sympy.oo))),
    ],
    ids=str,
)
def test_what_is_lost_is_seen(expr, claimed):
    rng = random.Random(1)
    assert own_oracle.wrong_point(rng, expr, claimed, sympy.S.One)[1] is not None
    assert own_oracle.wrong_point(rng, expr, gt.explosion_set(expr, 1), sympy.S.One)[1] is None


def test_a_width_or_a_critical_weight_that_contradicts_the_set_is_seen(monkeypatch):
    expr, two = sympy.tanh(Z), sympy.Integer(2)
    explosion = gt.explosion_set(expr, 2)
    assert own_fuzz._compared_with_critical_weight(expr, explosion, two) == ("decided", "")
    assert own_fuzz._differs_from_width(expr, explosion, two) == ""
    monkeypatch.setattr(own_fuzz.gt, "critical_weight", lambda expr: sympy.Integer(3))
    assert "critical weight" in own_fuzz._compared_with_critical_weight(expr, explosion, two)[1]
    monkeypatch.setattr(own_fuzz.gt, "explosion_width", lambda expr, w: sympy.S.One)
    assert "width" in own_fuzz._differs_from_width(expr, explosion, two)


def test_a_traceback_is_counted_as_wrong(monkeypatch):
    def broken(expr, w):
        raise ZeroDivisionError

    monkeypatch.setattr(own_fuzz.gt, "explosion_set", broken)
    (result,) = own_fuzz.run([1], 1)
    assert (result.outcome, "ZeroDivisionError" in result.text) == ("wrong", True)


@pytest.mark.slow
def test_other_words_say_the_same():
    rng = random.Random(3)
    written = [own_expressions.FAMILIES["switched"](rng) for _ in range(8)]
    others = [own_expressions.in_other_words(expr, rng) for expr in written]
    assert all(other != expr for expr, other in zip(written, others, strict=True))
    for expr, other in zip(written, others, strict=True):
        for point in (-1234567, -3.7, -0.21, 0.4, 5.5, 98765):
            with mpmath.workdps(60):
                one, two = (own_oracle.value(each, mpmath.mpf(point)) for each in (expr, other))
                assert abs(one - two) <= 1e-30 * (1 + abs(one))


def test_what_takes_for_ever_is_stopped():
    with pytest.raises(own_fuzz.TooLong), own_fuzz._limited(0.05):
        all(True for _ in itertools.count())
    with own_fuzz._limited(1000):
        pass
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


def test_the_table_counts_each_family():
    results = [
        own_fuzz.Result(k, "sum", "right", k / 10, certificate="verified", critical="decided") for k in range(10)
    ]
    results.append(own_fuzz.Result(10, "wave", "undecided", 9.0))
    rows = own_fuzz.table(results).splitlines()
    assert rows[2] == "| sum | 10 | 0 | 0 | 0 | 0 | 0.50 s | 0.90 s | 0.90 s | 100.0 % | 100.0 % |"
    assert rows[-1] == "| all | 11 | 0 | 1 | 0 | 0 | 0.50 s | 0.90 s | 9.00 s | 100.0 % | 100.0 % |"
