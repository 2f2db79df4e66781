"""What Jupyter shows of results: a formula or a table, and never the style of the page around it."""

import enum
import inspect
import re
import types
import typing

import numpy as np
import pytest

import gradtheory as gt

_PLAIN = (Exception, enum.Enum, float, np.ndarray, str, tuple)  # Python shows these as well as any table
_NO_RESULTS = {"Profile", "Interval", "Gain"}  # parts of a record, and a number with its activation


def _public():
    """Yield all public names with what they stand for, of the package and of its public modules."""
    for name in dir(gt):
        public = getattr(gt, name)
        if isinstance(public, types.ModuleType) and public.__name__.startswith("gradtheory"):
            yield from ((f"{name}.{inner}", getattr(public, inner)) for inner in dir(public))
        else:
            yield name, public


def _classes_in(hint):
    if inspect.isclass(hint) and hint.__module__.startswith("gradtheory"):
        yield hint
    for argument in typing.get_args(hint):
        yield from _classes_in(argument)


def _results():
    """Return the classes that are public, or that public functions return."""
    classes = {
        public for _, public in _public() if inspect.isclass(public) and public.__module__.startswith("gradtheory")
    }
    for _, public in _public():
        if inspect.isfunction(public) and public.__module__.startswith("gradtheory"):
            returned = inspect.get_annotations(public).get("return")  # plots' are texts: Matplotlib is optional
            classes |= set(_classes_in(returned))
    return sorted((each for each in classes if not issubclass(each, _PLAIN)), key=lambda each: each.__qualname__)


def test_every_result_has_a_form_in_notebooks():
    results = _results()
    assert len(results) > 40
    without = [
        each.__qualname__
        for each in results
        if not (hasattr(each, "_repr_latex_") or hasattr(each, "_repr_html_")) and each.__qualname__ not in _NO_RESULTS
    ]
    assert without == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: gt.depth_bound("tanh"),
        lambda: gt.two_point(gt.Chain(2), 0, 1, w=[1, 2], b=[0, 0]),
        lambda: gt.Chain(2).backprop([1.0, 2.0], 0.0, [1.0, 2.0], [0.0, 0.0]),
        lambda: gt.lyapunov_exponent("tanh", 2.0, 0.1),
        lambda: gt.train(
            gt.Chain(2), [1.0], [0.0], w=[1.0, 2.0], b=[0.0, 0.0], steps=3, optimiser=gt.optimisers.adam(0.1)
        ),
        lambda: gt.optimisers.adam(0.1),
        lambda: gt.derive("slope_maximum").check(),
        lambda: gt.Network([2, 3], "tanh"),
    ],
)
def test_tables_name_the_parts(make):
    shown = make()._repr_html_()
    assert shown.startswith("<table>")
    assert shown.count("<tr>") >= 1
    assert shown.count("<tr>") == shown.count("</td>")
    assert not re.search(r"<(?!/?(table|caption|tr|th|td)\b)", shown)


def test_a_verdict_is_a_line():
    shown = gt.checker.check({"name": "<b>"})._repr_html_()
    assert shown.startswith("<p>not verified: rejected: ")
    assert "<b>" not in shown


@pytest.mark.slow
def test_a_derivation_styles_only_itself():
    style = re.search(r"<style>(.*?)</style>", gt.derive("slope_maximum")._repr_html_(), flags=re.DOTALL)[1]
    selectors = [each.strip() for each in re.findall(r"([^{}]+)\{", re.sub(r"url\([^)]*\)", "", style))]
    assert len(selectors) > 10
    assert all(
        part.strip().startswith(".gradtheory")
        for each in selectors
        if not each.startswith(("@font-face", "@media"))
        for part in each.split(",")
    )
