"""Profiles of hypothesis, versions in the header, and one test a catalogue item."""

import os
import sys

import flint
import hypothesis
import matplotlib as mpl
import mpmath
import numpy as np
import pytest
import scipy
import sympy

import gradtheory as gt

mpl.use("Agg")

_COMMON = {
    "deadline": None,
    "derandomize": True,
    "print_blob": False,
    "phases": [phase for phase in hypothesis.Phase if phase is not hypothesis.Phase.explain],
    "suppress_health_check": [hypothesis.HealthCheck.too_slow],
}
hypothesis.settings.register_profile("quick", max_examples=10, **_COMMON)
hypothesis.settings.register_profile("thorough", max_examples=20, **_COMMON)
hypothesis.settings.load_profile("thorough" if os.environ.get("CI") else "quick")

CLOSED_FORM = tuple(
    name
    for name in gt.activation_names()
    if all(branch.is_flat or branch.inverse is not None for branch in gt.activation(name).monotone_branches)
)

_FEW = {"sigmoid", "gelu", "leaky_relu", "hardshrink", "sine", "softplus", "gaussian", "elu", "mish", "snake", "relu6"}


def pytest_report_header() -> str:
    modules = (sympy, mpmath, np, scipy, flint, hypothesis)
    versions = ", ".join(f"{module.__name__} {module.__version__}" for module in modules)
    return f"gradtheory {gt.__version__} on Python {sys.version.split()[0]}: {versions}"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--few", action="store_true", help="run tests over the catalogue on a few activations only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that asks for `name` on the whole catalogue, and for `closed` on what has a closed form."""
    few = metafunc.config.getoption("few") and metafunc.module.__name__ != "tests.test_catalogue"  # runs every kernel
    for fixture, names in (("name", gt.activation_names()), ("closed", CLOSED_FORM)):
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, [name for name in names if name in _FEW or not few])


@pytest.fixture(autouse=True)
def _precision_is_left_alone():
    """No test may find or leave another precision than the default."""
    mpmath.mp.dps = 15
    flint.ctx.prec = 53
    yield
    assert flint.ctx.prec == 53, "the library left python-flint's precision changed"
    mpmath.mp.dps = 15
