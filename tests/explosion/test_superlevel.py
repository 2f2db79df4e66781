"""Superlevel sets: every method finds the same, near limits too, in threads too."""

import threading

import pytest
import sympy
from sympy import FiniteSet, Interval, Rational, S, Union, oo

import gradtheory as gt
from gradtheory.activations import Branch, Z
from gradtheory.activations.slopes.profile import Profile
from gradtheory.arithmetic.enclosure import rounded, sign
from gradtheory.arithmetic.root import Root
from gradtheory.errors import NoClosedForm, Undecided
from gradtheory.explosion.superlevel import METHODS, Component, SuperlevelSet, as_set, total_length

_LEVELS = (Rational(1, 10**40), Rational(1, 97), Rational(2, 9), Rational(3, 7), Rational(21, 20), Rational(7, 3))
_TINY = Rational(1, 10**30)


def _components(name, level, method, *, strict=True):
    try:
        return SuperlevelSet(gt.activation(name).profile, level, strict, method).components()
    except NoClosedForm:
        return None


@pytest.mark.sampled(29)
@pytest.mark.parametrize("strict", [True, False])
def test_all_methods_find_the_same_set(name, strict):
    for level in _LEVELS:
        sets = [
            components
            for method in METHODS
            if (components := _components(name, level, method, strict=strict)) is not None
        ]
        assert len(sets) >= 2  # certified and auto, always
        for other in sets[1:]:
            assert len(other) == len(sets[0])
            for one, two in zip(sets[0], other, strict=True):
                assert (one.lower_open, one.upper_open) == (two.lower_open, two.upper_open)
                for ours, theirs in ((one.lower, two.lower), (one.upper, two.upper)):
                    assert ours == theirs or abs((ours - theirs).n(50, chop=True)) < sympy.Float("1e-45")


def _limits(name):
    branches = gt.activation(name).profile.branches
    return {abs(slope) for branch in branches for slope in (branch.slope_left, branch.slope_right)}


@pytest.mark.sampled(17)
@pytest.mark.parametrize("method", ["auto", "certified"])
@pytest.mark.parametrize("side", [-1, 1])
def test_levels_within_1e_30_of_a_limit_of_the_slope(name, method, side):
    """Closer to a turning point than any float; the number of components is that of the branches on that side."""
    for limit in _limits(name):
        if limit.is_infinite or sign(limit) == 0:
            continue
        level = limit + side * _TINY
        components = _components(name, level, method)
        crossings = 0
        for branch in gt.activation(name).profile.branches:
            if not branch.is_flat and sign(branch.steepest - level) > 0 > sign(branch.shallowest - level):
                crossings += 1
        ends = [end for each in components for end in (each.lower, each.upper) if end.is_finite]
        branch_ends = {end for branch in gt.activation(name).profile.branches for end in (branch.left, branch.right)}
        assert sum(end not in branch_ends for end in ends) == crossings


def test_a_step_is_not_lost():
    """A well-known interval tool loses the whole solution of 8·relu'(z) > 1 on [-1, 1]."""
    for method in METHODS:
        explosion = gt.explosion_set("relu", w=8, method=method)
        assert explosion == sympy.Interval.open(0, sympy.oo)
        inside = [x for x in (Rational(k, 50) for k in range(-50, 51)) if x in explosion]
        assert inside == [Rational(k, 50) for k in range(1, 51)]


def test_what_cannot_be_decided_says_how_to_ask_for_more():
    t = gt.activation("gelu").steepest_slope
    nearly = sympy.Rational(str(rounded(t, 400)))  # equal to 120 digits
    with pytest.raises(Undecided, match="digits=") as caught:
        gt.explosion_set("gelu", w=1 / nearly, digits=60)
    assert len(str(caught.value)) < 600
    explosion = gt.explosion_set("gelu", w=1 / nearly, digits=1000)
    assert explosion is sympy.S.EmptySet or explosion.measure < Rational(1, 10**50)


@pytest.mark.slow
def test_eight_threads_at_different_precisions_agree():
    names = ("gelu", "silu", "mish", "sigmoid", "gaussian", "gelu_tanh", "tanh", "softplus")
    alone = {name: [end.n(80) for end in gt.explosion_set(name, 3, "0.3").boundary] for name in names}
    together, failures = {}, []

    def work(number, name):
        try:
            for digits in (30 + 10 * number, 200, 60 + number):
                [end.n(digits) for end in gt.explosion_set(name, 3, "0.3", digits=100 + digits).boundary]
            together[name] = [end.n(80) for end in gt.explosion_set(name, 3, "0.3").boundary]
        except Exception as error:  # reported below, in the main thread
            failures.append((name, error))

    threads = [threading.Thread(target=work, args=item) for item in enumerate(names)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert together == alone


def _component(lower, upper, ends="()"):
    return Component(S(lower), S(upper), ends[0] == "(", ends[1] == ")")


@pytest.mark.parametrize(
    ("component", "domain", "expected"),
    [
        ((0, 1, "[]"), (0, 1, "()"), (0, 1, "()")),
        ((0, 1, "()"), (0, 1, "[]"), (0, 1, "()")),
        ((0, 1, "[]"), (0, 1, "[]"), (0, 1, "[]")),
        ((0, 3, "()"), (1, 2, "[]"), (1, 2, "[]")),
        ((0, 3, "[]"), (1, 2, "()"), (1, 2, "()")),
        ((1, 2, "[]"), (0, 3, "()"), (1, 2, "[]")),
        ((1, 2, "()"), (0, 3, "[]"), (1, 2, "()")),
        ((0, 1, "[]"), (1, 2, "[]"), (1, 1, "[]")),
        ((0, 1, "[)"), (1, 2, "[]"), None),
        ((0, 1, "[]"), (1, 2, "(]"), None),
        ((0, 1, "[]"), (2, 3, "[]"), None),
        ((-oo, oo, "()"), (-oo, 3, "(]"), (-oo, 3, "(]")),
    ],
)
def test_a_component_within_a_domain(component, domain, expected):
    assert _component(*component).within(_component(*domain)) == ((_component(*expected),) if expected else ())


@pytest.mark.parametrize(
    ("components", "expected", "length"),
    [
        ([], S.EmptySet, 0),
        ([(2, 2, "[]")], FiniteSet(2), 0),
        ([(0, 1, "[)")], Interval.Ropen(0, 1), 1),
        ([(-oo, oo, "()")], S.Reals, oo),
        ([(-oo, 0, "()"), (0, oo, "()")], Union(Interval.open(-oo, 0), Interval.open(0, oo)), oo),
        (
            [(0, 1, "(]"), (2, 2, "[]"), (3, 5, "[)")],
            Union(Interval.Lopen(0, 1), FiniteSet(2), Interval.Ropen(3, 5)),
            3,
        ),
    ],
)
def test_components_make_a_set(components, expected, length):
    sequence = [_component(*each) for each in components]
    assert (as_set(sequence), total_length(sequence)) == (expected, length)
    assert (as_set(sequence) is S.Reals) == (expected is S.Reals)


def test_methods_do_what_they_are_named_for():
    gelu, sigmoid = (gt.activation(name).profile for name in ("gelu", "sigmoid"))
    with pytest.raises(
        NoClosedForm, match=r"^gelu: \|σ'\(z\)\| = t has no .* record; method='certified' finds proven numbers$"
    ):
        SuperlevelSet(gelu, Rational(9, 10), method="closed_form").components()
    for method, isolated in (("certified", True), ("closed_form", False), ("auto", False)):
        (component,) = SuperlevelSet(sigmoid, Rational(1, 5), method=method).components()
        assert component.upper.has(Root) == isolated


@pytest.mark.parametrize(
    ("which", "level", "strict", "expected"),
    [
        ("arctan", Rational(1, 5), True, (-2, 2, "()")),
        ("arctan", Rational(1, 5), False, (-2, 2, "[]")),
        ("arctan", 1, True, None),
        ("arctan", 1, False, (0, 0, "[]")),
        ("bent_identity", Rational(1, 2), True, (-oo, oo, "()")),  # the slope tends to the level
        ("bent_identity", 1, False, (0, oo, "[)")),
        ("bent_identity", Rational(3, 2), False, None),
    ],
)
def test_ends_belong_to_the_set_where_it_is_not_strict(which, level, strict, expected):
    components = SuperlevelSet(gt.activation(which).profile, S(level), strict).components()
    assert components == ((_component(*expected),) if expected else ())


def test_ends_are_mirrored_with_the_set():
    assert _component(0, 1, "[)").affine(S(-2), S(1), mirrored=True) == _component(0, Rational(1, 2), "(]")
    assert _component(0, 1, "[)").affine(S(2), S(1), mirrored=False) == _component(Rational(-1, 2), 0, "[)")


def test_levels_are_compared_to_as_many_bits_as_are_asked_for():
    nearly = sympy.sqrt(1 - Rational(1, 10**300))
    with pytest.raises(Undecided):
        SuperlevelSet(gt.activation("tanh").profile, nearly, most_bits=200).components()
    assert len(SuperlevelSet(gt.activation("tanh").profile, nearly, most_bits=2000).components()) == 1


def test_only_certified_sets_prove_the_branches_of_the_record():
    profile = Profile("no constant", sympy.exp(Z), (Branch(-oo, oo, S(2), S(2)),))
    assert SuperlevelSet(profile, S.One).components() == (_component(-oo, oo),)
    with pytest.raises(Undecided, match="not constant"):
        SuperlevelSet(profile, S.One, method="certified").components()
