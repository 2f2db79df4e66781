"""A rate per layer is told only where the gradient changes in many layers alike; the headline says what was measured."""

import math

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.audits.layers import AuditedBlock, AuditedLayer
from gradtheory.audits.report.report import Audit
from gradtheory.audits.report.summary import called, is_a_rate
from tests.audits.networks import data, residual


def blocks(*gains):
    return tuple(AuditedBlock(f"b{k}", gain, 0.1, ()) for k, gain in enumerate(gains))


@pytest.mark.parametrize(
    ("gains", "is_rate"),
    [
        ([1.0] + [2.0] * 12, True),
        ([1.0] + [0.25] * 12, True),
        ([1.0, *[2.0, 1.0] * 8], True),  # a norm beside each
        ([1.0, 2.0, 2.0], True),
        ([1.0, *[1.0] * 5, 500.0, *[1.0] * 5], False),
        ([1.0, *[1.02] * 20, 500.0], False),
        ([1.0, *[1.0] * 30, 50.0, 1.0, 50.0], False),  # two of many
        ([1.0, math.nan, 3.0], False),
        ([500.0, 2.0, 2.0, 2.0], True),  # the first changes no weight's gradient
    ],
)
def test_a_rate_is_one_of_many_blocks(gains, is_rate):
    assert is_a_rate(blocks(*gains)) is is_rate


def test_one_jump_is_not_extrapolated():
    rows = tuple(AuditedLayer(f"b{k}", "Block", 1.0, is_measured_only=True) for k in range(8))
    jump = blocks(1, 1, 1, 500, 1, 1, 1, 1)
    text = Audit(rows, "explodes", "b3", "its gain is 500", 2.4, {}, 1.0, "mse", True, "", blocks=jump).table
    assert "It is one jump, by 500, and no rate per part of the network." in text
    assert "At that rate" not in text
    assert "is multiplied by" not in text
    elsewhere = Audit(rows, "explodes", "b5", "", 2.4, {}, 1.0, "mse", True, "", blocks=jump).table
    assert "It is one jump" not in elsewhere


def test_overflow_is_that_of_a_rate():
    rng = np.random.default_rng(0)
    w = [rng.normal(0, 0.25, (32, 32)) for _ in range(12)]
    network = gt.Network((32,) * 13, "relu", w=w, b=[np.zeros(32)] * 12)
    x = rng.normal(size=(32, 32))
    assert gt.audit(network, x).overflow["float16"] > 0
    w = [0.7 * each for each in w]
    w[5] *= 300.0
    report = gt.audit(gt.Network((32,) * 13, "relu", w=w, b=[np.zeros(32)] * 12), x)
    assert (report.start, report.overflow) == ("layer6", {})


def test_what_a_norm_divides_away_is_no_second_fault():
    rng = np.random.default_rng(1)
    report = gt.audit(residual(rng, 6, 32, times={(3, "up"): 8.0, (3, "down"): 40.0}), data(rng))
    assert report.start.startswith("blocks.3")
    assert "two things are wrong" not in report.cause


@pytest.mark.parametrize(
    ("path", "text"), [("12", "layer '12'"), ("0.3", "layer '0.3'"), ("blocks.3", "blocks.3"), ("fc", "fc")]
)
def test_a_name_of_digits_is_no_number_in_a_sentence(path, text):
    assert called(path) == text
    rows = (AuditedLayer("0", "Linear", 1.0), AuditedLayer(path, "Linear", 5.0, verdict="grows", cause="it is large"))
    report = Audit(rows, "explodes", path, "it is large", 1.0, {}, 1.0, "yours", is_alone=True)
    assert str(report).startswith(f"The gradient grows in {text} alone. Cause: it is large.")
    assert "The loss on these data is 1 (by the function that was passed as loss)." in report.table
