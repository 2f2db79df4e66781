"""Audits of modules with batch norms: what is at fault is named, not what the statistics of a batch make of it."""

import itertools
import math

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


def stacked(depth, width=128):
    """Return dense layers with batch norms: '9' is dense, '10' its norm."""
    torch.manual_seed(0)
    widths = [32] + [width] * depth
    parts = [part for a, b in itertools.pairwise(widths) for part in (nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU())]
    return nn.Sequential(*parts, nn.Linear(width, 10))


def audited(module):
    torch.manual_seed(1)
    return gt.audit(module, torch.randn(64, 32), torch.randint(0, 10, (64,)))


@pytest.mark.parametrize("before", [0.0, math.nan])
@pytest.mark.parametrize("fault", ["3", "4"])
def test_an_overflow_before_a_batch_norm_in_training_is_none_of_its_running_statistics(fault, before):
    module = stacked(4, 32)
    module.get_submodule(fault).weight.data.fill_(60000.0)
    module[4].running_mean.fill_(before)
    module[7].running_mean.fill_(before)
    report = audited(module.half())
    assert (report.verdict, report.start) == ("explodes", fault)
    assert report.cause.startswith("its numbers overflow")
    assert "before anything is run" not in "".join(layer.cause for layer in report.layers)


def test_running_statistics_that_are_not_finite_are_named_where_they_are_taken():
    module = stacked(4, 32)
    module[4].running_mean.fill_(math.nan)
    assert audited(module).verdict == "stable"
    report = audited(module.eval())
    assert (report.verdict, report.start) == ("explodes", "4")
    assert report.cause == "its running_mean holds nan before anything is run, in 32 of 32 entries"
