"""The table of docs/guarantees.md: it names every public function, and answers are what it says."""

import inspect
import operator
import re
from pathlib import Path

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.errors import NoClosedForm
from gradtheory.random_weights.lyapunov import largest_exponent

_PAGE = Path(__file__).parents[1] / "docs" / "guarantees.md"
_Z = sympy.Symbol("z", real=True)
_OWN = sympy.tanh(_Z) + _Z * sympy.exp(-(_Z**2))


def _table():
    """Return the words for every function, as the page states them."""
    section = _PAGE.read_text(encoding="utf-8").split("## Function by function")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \| (.*?) \| .*\|$", section, re.MULTILINE)
    named = [
        (name, set(re.findall(r"exact|certified|numeric", words)))
        for cell, words in rows
        for name in cell[1:-1].split("`, `")
    ]
    assert len(named) == len(dict(named)), "a function is named twice"
    return dict(named)


def _public():
    modules = {name: getattr(gt, name) for name in gt.__all__ if inspect.ismodule(getattr(gt, name))}
    names = {name for name in gt.__all__ if inspect.isfunction(getattr(gt, name))}
    for module_name, module in modules.items():
        names |= {f"{module_name}.{name}" for name in dir(module) if inspect.isfunction(getattr(module, name))}
    return names


def test_every_public_function_is_in_the_table():
    assert set(_table()) == _public()


_NUMBERS = {
    "critical_weight": lambda: [gt.critical_weight(each) for each in ("sigmoid", "gelu", _OWN)],
    "explosion_width": lambda: [gt.explosion_width(each, 7) for each in ("sigmoid", "gelu", "relu", _OWN)],
    "explosion_set": lambda: [gt.explosion_set(each, 7, 1) for each in ("sigmoid", "gelu", _OWN)],
    "exploding_weights": lambda: [gt.exploding_weights(each, b=1, x=2) for each in ("sigmoid", "relu")],
    "exploding_biases": lambda: [gt.exploding_biases(each, w=7, x=2) for each in ("sigmoid", "gelu")],
    "widest_explosion": lambda: [gt.widest_explosion(each).width for each in ("sigmoid", "gelu", _OWN)],
    "total_explosion_set": lambda: [gt.total_explosion_set(gt.Chain(2, "tanh"), w=[3, 3], b=[0, 0])],
    "total_explosion_bound": lambda: [gt.total_explosion_bound(gt.Chain(2, "tanh"))],
    "depth_bound": lambda: [gt.depth_bound(each).value for each in ("sigmoid", "arctan", "cloglog")],
    "widest_total_explosion": lambda: [
        gt.widest_total_explosion(gt.Chain(2, each), [3]).value for each in ("sigmoid", "tanh")
    ],
    "overflow_growth": lambda: [gt.overflow_growth(100)],
}
_ESTIMATES = {
    "factor_probability": lambda: [gt.factor_probability("tanh", 2, z=1), gt.factor_probability("tanh", 2, 1)],
    "gaussian.correlated": lambda: [gt.gaussian.correlated("tanh", 0.5, 1, of="value")],
    "gaussian.moment": lambda: [gt.gaussian.moment("tanh", 1), gt.gaussian.moment("tanh", 1, method="certified")],
    "meanfield.chi": lambda: [gt.meanfield.chi("tanh", 1, sigma_w=1, method=way) for way in ("auto", "certified")],
    "meanfield.correlation_map": lambda: [gt.meanfield.correlation_map("tanh", 0.5, 1, 1, 1)],
    "meanfield.correlation_slope": lambda: [gt.meanfield.correlation_slope("tanh", 0.5, 1, 1)],
}


@pytest.mark.parametrize("function", _NUMBERS)
def test_exact_numbers_are_of_the_kind_that_the_table_says(function):
    assert {gt.guarantee(number).value for number in _NUMBERS[function]()} <= _table()[function]


@pytest.mark.parametrize("function", _ESTIMATES)
def test_estimates_are_of_the_kind_that_the_table_says(function):
    estimates = _ESTIMATES[function]()
    assert {estimate.guarantee.value for estimate in estimates} <= _table()[function]
    assert all(estimate.error >= 0 for estimate in estimates)


_CLOSED = {"method": "closed_form"}
_WITHOUT_CLOSED_FORM = {
    "certificate": lambda: gt.certificate("gelu", 2, **_CLOSED),
    "exploding_biases": lambda: gt.exploding_biases("gelu", w=2, x=1, **_CLOSED),
    "exploding_weights": lambda: gt.exploding_weights("gelu", x=1, **_CLOSED),
    "explosion_set": lambda: gt.explosion_set("gelu", 2, **_CLOSED),
    "explosion_width": lambda: gt.explosion_width("gelu", 2, **_CLOSED),
    "gaussian.closed_form": lambda: gt.gaussian.closed_form("mish"),
}


def test_an_error_is_documented_where_it_comes_and_nowhere_else():
    documented = {name for name in _public() if "NoClosedForm" in (operator.attrgetter(name)(gt).__doc__ or "")}
    assert documented == set(_WITHOUT_CLOSED_FORM)
    for call in _WITHOUT_CLOSED_FORM.values():
        with pytest.raises(NoClosedForm):
            call()


def test_the_search_covers_what_its_docstring_says():
    least, most = np.exp(largest_exponent._LOG_WEIGHTS[[0, -1]])
    said = f"σ_w from {least:.2f} to {most:.0f} and σ_b from {min(largest_exponent._BIASES):g} to"
    assert f"{said} {max(largest_exponent._BIASES):g}" in gt.largest_lyapunov_exponent.__doc__


def test_pages_do_not_promise_formulas_without_a_font():
    for page in ("docs/design.md", "docs/_ext/mathml.py", "README.md"):
        assert "no font" not in (_PAGE.parents[1] / page).read_text(encoding="utf-8")
