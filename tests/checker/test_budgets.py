"""Certificates made to keep the checker busy: it ends, and says why."""

import copy

import pytest

from gradtheory import checker
from tests.checker.certificates import VALID
from tests.checker.chain_certificates import VALID_CHAINS

_SPENT = "undecided: the check's budget of work is spent"


def nested(pattern, times):
    """Return a text in which a function stands in itself."""
    text = "z"
    for _ in range(times):
        text = pattern.format(text)
    return text


@pytest.mark.parametrize("times", [30, 55])
def test_functions_nested_in_one_another_are_written_out_within_the_budget(times):
    forged, inner = copy.deepcopy(VALID["relu"]), nested("tanh({})", times)
    forged["claim"] |= {"activation": None, "expression": f"Abs({inner})"}
    for cell, sign in zip(forged["cells"], ("-", ""), strict=True):
        cell |= {"piece": f"{sign}{inner}", "sign": 1 if sign == "" else -1, "rises": sign == "-"}
        cell |= {"positive": "1", "shape": f"-{inner}"}
    assert checker.check(forged).reason == _SPENT


def with_activation(expression):
    """Return the certificate of a chain with another activation of class N in its place."""
    forged = copy.deepcopy(VALID_CHAINS["sigmoid"])
    forged["claim"]["activations"] = [{"activation": None, "expression": expression}]
    forged["cells"] = [[{"left": "-oo", "right": "oo", "piece": expression, "sign": 1}]]
    return forged


@pytest.mark.parametrize("times", [20, pytest.param(10, marks=pytest.mark.slow)])
def test_class_n_is_looked_for_within_the_budget(times):
    assert checker.check(with_activation(nested("tanh({})", times))).reason == _SPENT


@pytest.mark.slow
def test_the_budget_counts_how_long_the_numbers_of_a_deep_chain_are():
    forged = copy.deepcopy(VALID_CHAINS["sigmoid"])
    forged["claim"]["layers"] = [{"activation": 0, "weight": "1", "bias": "0"}] * 20_000
    size = 10**3990
    forged["set"] = {
        "lower": {"outer": f"-1/{size + 7}", "inner": f"-1/{size + 9}", "open": True},
        "upper": {"outer": f"1/{size + 7}", "inner": f"1/{size + 9}", "open": True},
    }
    assert checker.check(forged).reason == _SPENT


@pytest.mark.parametrize("size", [10**8, pytest.param(10**9, marks=pytest.mark.slow)])
def test_the_budget_counts_how_long_the_numbers_at_a_huge_place_are(size):
    forged, far = copy.deepcopy(VALID["relu"]), f"exp({size})"
    forged["claim"] |= {"activation": None, "expression": "sinh(z)/cosh(z)"}
    forged["domain"], forged["status"] = [far, f"{far} + 40"], "proven on the domain"
    forged["tails"] = {key: {"argument": "limit", "limit": "0", "assumes": "0"} for key in ("left", "right")}
    falls = {"piece": "tanh(z)", "sign": 1, "rises": False, "positive": "sech(z)**2", "shape": "-2*sinh(z)/cosh(z)"}
    forged["cells"] = [falls | {"left": f"{far} + {k}", "right": f"{far} + {k + 1}"} for k in range(40)]
    forged["cells"][0]["left"] = far
    assert checker.check(forged).reason == _SPENT
