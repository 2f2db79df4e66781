"""A certificate of an expression that is not defined on the whole domain is refused, however its parts cancel."""

import pytest

from gradtheory import checker
from tests.checker.certificates import VALID

_HIDDEN = [
    "z + log(z) - log(z) + Piecewise((0, True), (log(z), True))",
    "Piecewise((z + 0*1/z, True), (1/z, True))",
    "Piecewise((z*(1/z)**0, True), (1/z, True))",
    "sqrt(z)*sqrt(z)*Piecewise((1, True), (1/z, True))",
    "z + 1/z - Piecewise((1/z, True))",
    "z + log(z) - Max(log(z), log(z))",
    "z + log(z)*sign(0)",
    "z + Max(0, 0)/z",
    "z + Abs(0*z)*tan(z)",
    "Piecewise((z, log(z) < Piecewise((log(z), True)) + 1), (2*z, True))",
    "z*sign((log(z) + 1)**2 - log(z)**2 - 2*log(z))",
    "Max(z, z + Piecewise((0, True))*log(z))",
]
_DEFINED = [
    "Piecewise((z + 0*z**2, True), (1/z, True))",
    "z + 1/(1 + z**2) - Max(1/(1 + z**2), 1/(1 + z**2))",
    "z*sign(1/(1 + z**2))",
]


def _of(expression):
    line = {"left": "-oo", "right": "oo", "piece": "z", "sign": 1, "rises": None, "positive": None, "shape": None}
    whole = {"lower": "-oo", "upper": "oo", "lower_open": True, "upper_open": True}
    claim = {**VALID["relu"]["claim"], "activation": None, "expression": expression}
    return {**VALID["relu"], "claim": claim, "cells": [line], "components": [whole]}


@pytest.mark.parametrize("expression", _HIDDEN)
def test_a_part_that_is_undefined_does_not_cancel(expression):
    assert not checker.check(_of(expression)).ok


@pytest.mark.parametrize("expression", _DEFINED)
def test_a_part_that_is_defined_may_cancel(expression):
    assert checker.check(_of(expression)).ok


_NO_NUMBERS = [
    "0*log(0)",
    "log(-1) - log(-1)",
    "0/(sqrt(2)*sqrt(3) - sqrt(6))",
    "0*atanh(2)",
    "0*acosh(1/2)",
    "0*coth(0)",
    "0*tan(pi/2)",
    "(-8)**(1/2) - (-8)**(1/2)",
    "0*True",
    "0*Eq(1, 1)",
    "log(0)**0 - 1",
    "0*sign(log(0))",
]


@pytest.mark.parametrize("part", _NO_NUMBERS)
def test_a_part_that_is_no_number_does_not_cancel(part):
    claim = VALID["relu"]["claim"]
    for name in ("expression", "weight", "threshold", "bias"):
        data = {**VALID["relu"], "claim": {**claim, "activation": None, name: f"{claim[name]} + {part}"}}
        assert not checker.check(data).ok


def test_conditions_stand_in_piecewise_alone():
    for wrong in (
        "z + 0*(z < 1)",
        "z*True",
        "Piecewise((z, z))",
        "Piecewise((z, (z < 1) & z))",
        "Max(z, True)",
        "True",
    ):
        assert not checker.check(_of(wrong)).ok
    assert checker.check(_of("Piecewise((z, (1 < 2) | (3 < 2)), (1/z, True))")).ok
