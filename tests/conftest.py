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
    if all(branch.is_flat or branch.inverse is not None for branch in gt.activation(name).profile.branches)
)

_FEW = {"sigmoid", "gelu", "leaky_relu", "hardshrink", "sine", "softplus", "gaussian", "elu", "mish", "snake", "relu6"}

# Tests of 8 seconds and more that go the way of others: `make test-slow` runs them, and so does CI.
_SLOW = (
    "test_derivation.py::test_every_step_of_every_derivation_is_true[gelu_tanh-weak_norm]",
    "test_derivation.py::test_every_step_of_every_derivation_is_true[gaussian-widest]",
    "test_derivation.py::test_activations_of_ones_own_are_derived_too[z/(1 + z**2)",
    "test_derivation.py::test_every_broken_step_is_caught[weight_decay-sigmoid]",
    "test_derivation.py::test_the_gradient_is_the_derivative_of_the_nested_loss[squared-gelu",
    "test_documents.py::test_latex_of_every_derivation_compiles",
    "test_documents.py::test_a_browser_shows_the_formulas_without_network_or_errors",
    "test_lyapunov.py::test_odd_concave_ones_never_explode_without_biases",
    "test_lyapunov.py::test_mirrored_ones_agree[1.5-1-2]",
    "test_lyapunov.py::test_flat_pieces_are_met_again_and_again",
    "test_simulation.py::test_the_limit_is_approached_as_one_over_the_width[orthogonal-erf-0]",
    "test_total.py::test_a_product_that_only_touches_is_undecided",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(each in item.nodeid for each in _SLOW):
            item.add_marker(pytest.mark.slow)


def pytest_report_header() -> str:
    modules = (sympy, mpmath, np, scipy, flint, hypothesis)
    versions = ", ".join(f"{module.__name__} {module.__version__}" for module in modules)
    return f"gradtheory {gt.__version__} on Python {sys.version.split()[0]}: {versions}"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--few", action="store_true", help="run tests over the catalogue on a few activations only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that asks for `name` on the whole catalogue, and for `closed` on what has a closed form."""
    few = (
        metafunc.config.getoption("few") and metafunc.module.__name__ != "tests.activations.test_catalogue"
    )  # runs every kernel
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
