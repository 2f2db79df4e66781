"""Two tiers of tests, one test for each activation of the catalogue, and versions in the header.

`pytest` runs the quick tier. `pytest --all` runs everything: tests marked `slow` too, and `shape` on the whole catalogue.
`pytest --rest` runs what the quick tier leaves out. With these two, and where CI is set, hypothesis tries twice as many
examples.
"""

import functools
import gc
import os
import sys
from collections import defaultdict

import flint
import hypothesis
import matplotlib as mpl
import mpmath
import numpy as np
import pytest
import scipy
import sympy

import gradtheory as gt
from tests.shapes import SHAPES

mpl.use("Agg")

_COMMON = {
    "deadline": None,
    "derandomize": True,
    "print_blob": False,
    "phases": [phase for phase in hypothesis.Phase if phase is not hypothesis.Phase.explain],
    "suppress_health_check": [hypothesis.HealthCheck.too_slow],
}
hypothesis.settings.register_profile("quick", max_examples=5, **_COMMON)
hypothesis.settings.register_profile("thorough", max_examples=10, **_COMMON)

# What SymPy and the tests keep is many objects; to walk them again and again takes 6 % of the time.
gc.set_threshold(100_000, 50)

_OF_DERIVATIONS = (
    *("tests/derivation/", "tests/document/", "tests/pages/test_article.py", "tests/pages/test_typography.py"),
    *("tests/cli/test_cli.py::test_article", "tests/cli/test_json.py::test_the_article_fits_the_schema"),
)
_NOT_GENERATED = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run everything: slow tests too, and the whole catalogue")
    parser.addoption("--rest", action="store_true", help="run what is left out without --all")


@functools.cache  # asked by the workers, not by the process that hands out tests
def closed_form() -> tuple[str, ...]:
    branches = {name: gt.activation(name).profile.branches for name in gt.activation_names()}
    return tuple(name for name in branches if all(one.is_flat or one.inverse is not None for one in branches[name]))


def _runs_all(config: pytest.Config) -> bool:
    return bool(config.getoption("all") or config.getoption("rest"))


def _is_thorough(config: pytest.Config) -> bool:
    return _runs_all(config) or bool(os.environ.get("CI"))


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_NOT_GENERATED] = 0
    hypothesis.settings.load_profile("thorough" if _is_thorough(config) else "quick")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `name`, `closed` or `shape` once for each activation it is about.

    `name` is the whole catalogue, `closed` what has closed forms, and `shape` one activation of each kind. The mark
    `only(condition)` leaves out activations for which a test has nothing to do.
    """
    fixtures = {
        "name": gt.activation_names(),
        "closed": closed_form(),
        "shape": gt.activation_names() if _runs_all(metafunc.config) else SHAPES,
    }
    for fixture in fixtures.keys() & set(metafunc.fixturenames):
        conditions = [mark.args[0] for mark in metafunc.definition.iter_markers("only")]
        names = [name for name in fixtures[fixture] if all(condition(gt.activation(name)) for condition in conditions)]
        metafunc.config.stash[_NOT_GENERATED] += len(fixtures[fixture]) - len(names)
        metafunc.parametrize(fixture, names)


def _is_quick(item: pytest.Item) -> bool:
    """Return whether a test belongs to the quick tier."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    activation = next((parameters[fixture] for fixture in ("name", "closed", "shape") if fixture in parameters), None)
    few = item.get_closest_marker("quick_for")
    is_dear = parameters.get("shape", SHAPES[0]) not in SHAPES or (few is not None and activation not in few.args)
    return not is_dear and item.get_closest_marker("slow") is None


def _quick(items: list[pytest.Item]) -> set[str]:
    """Return the names of the tests of the quick tier."""
    quick, cases = set(), defaultdict(list)
    for item in filter(_is_quick, items):
        if item.get_closest_marker("sampled") is None:
            quick.add(item.nodeid)
        else:
            cases[item.location[0], item.originalname].append(item)
    for alike in cases.values():
        number = min(alike[0].get_closest_marker("sampled").args[0], len(alike))
        names = sorted(item.nodeid for item in alike)  # the same ones whatever else is collected
        quick.update(names[k * len(names) // number] for k in range(number))
    return quick


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out slow tests, or with --rest the quick ones."""
    if not config.getoption("all"):
        quick, rest = _quick(items), config.getoption("rest")
        config.hook.pytest_deselected(items=[item for item in items if (item.nodeid in quick) is rest])
        items[:] = [item for item in items if (item.nodeid in quick) is not rest]
    items.sort(key=lambda item: item.get_closest_marker("minutes") is None)  # first, so that no worker waits for them


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object | None:
    """Hand out slow tests one by one, but those that take the same derivations to one process, where each is made once."""
    from xdist.scheduler import LoadScopeScheduling

    class InOneProcess(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "derivations" if nodeid.startswith(_OF_DERIVATIONS) else nodeid

    return InOneProcess(config, log) if config.option.dist == "loadscope" else None


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()  # what was imported and collected stays to the end


def pytest_report_header() -> str:
    modules = (sympy, mpmath, np, scipy, flint, hypothesis)
    versions = ", ".join(f"{module.__name__} {module.__version__}" for module in modules)
    return f"gradtheory {gt.__version__} on Python {sys.version.split()[0]}: {versions}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a worker of pytest-xdist tell how many tests it did not generate."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["not generated"] = session.config.stash[_NOT_GENERATED]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take that number from the worker; all of them generate the same tests."""
    node.config.stash[_NOT_GENERATED] = getattr(node, "workeroutput", {}).get("not generated", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.write_line(
        f"{config.stash[_NOT_GENERATED]} tests not generated: they have nothing to do for their activation"
    )


@pytest.fixture
def cases(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many cases `gradtheory.testing` is to try where all of them must pass; the quick tier adds 12 fixed ones."""
    if _is_thorough(request.config):
        return 40
    monkeypatch.setattr("gradtheory.testing.check._ALWAYS", 12)  # two of each kind
    return 20


@pytest.fixture(autouse=True)
def _precision_is_left_alone():
    """No test may find or leave another precision than the default."""
    mpmath.mp.dps = 15
    flint.ctx.prec = 53
    yield
    assert flint.ctx.prec == 53, "the library left python-flint's precision changed"
    mpmath.mp.dps = 15
