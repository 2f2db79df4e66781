"""Which part of a measured module is at fault, from gains and sizes alone; `tests/peers` measures such modules."""

import importlib
import math

import numpy as np
import pytest

from gradtheory.audits.layers import COMPOSITE, AuditedBlock, AuditedLayer, OutOfScale
from gradtheory.audits.measure import Measurement
from gradtheory.audits.modules.attention import Logits, attention_fault
from gradtheory.audits.verdict import outliers
from gradtheory.audits.verdict.judge import AuditVerdict, judge

rules = importlib.import_module("gradtheory.audits.audit")


def judged(gains, scales=None, kind="Linear", names=None, spread=0.1):
    names = names or [f"p{k}" for k in range(len(gains))]
    layers = [
        AuditedLayer(name, kind, gain, spread=spread, is_measured_only=True)
        for name, gain in zip(names, gains, strict=True)
    ]
    blocks = [
        AuditedBlock(name, gain, spread, (k,), kind) for k, (name, gain) in enumerate(zip(names, gains, strict=True))
    ]
    return judge(layers, blocks, scales or {})[1]


def test_of_several_parts_that_stand_out_the_one_with_weights_out_of_scale_is_named():
    gains = [1.0, 1.0, 20.0, 1 / 25, 1.0, 1.0, 1.0, 1.0]
    assert judged(gains).start == "p3"
    assert judged(gains, {"p2": OutOfScale(20.0, "weight")}).start == "p2"


@pytest.mark.parametrize(
    ("gain", "scale", "start"),
    [
        (1.3, OutOfScale(20.0, "weight"), "p4"),
        (1.1, OutOfScale(20.0, "weight"), None),  # it does not matter
        (1.3, OutOfScale(2.0, "weight"), None),
        (1.3, OutOfScale(20.0, "bias"), None),
        (math.nan, OutOfScale(20.0, "weight"), "p4"),  # the first of a branch
        (math.nan, OutOfScale(3.2, "weight"), None),  # of which the gain is not known to differ
    ],
)
def test_weights_out_of_scale_are_named_if_they_matter(gain, scale, start):
    verdict = judged([1.0] * 4 + [gain] + [1.0] * 4, {"p4": scale})
    assert verdict.start == start
    if start:
        assert (verdict.verdict, verdict.cause) == ("explodes", "its weight is 20 times as large as that of its peers")


def test_a_module_that_is_called_many_times_is_where_its_growth_starts():
    names = ["first", "block", *(f"block#{k}" for k in range(2, 8)), "head"]
    verdict = judged([1.0] + [3.0] * 7 + [1.2], names=names)
    assert (verdict.verdict, verdict.start) == ("explodes", "block")
    verdict = judged([1.0] * 5 + [30.0] + [1.0] * 3, names=names)
    assert (verdict.start, verdict.is_alone) == ("block", True)


@pytest.mark.parametrize(("gain", "start"), [(20.0, "p1"), (1 / 20, "p1"), (12.0, None), (1.0, None)])
def test_a_jump_needs_no_peers(gain, start):
    verdict = judged([1.0, gain, 1.0])
    assert verdict.start == start
    assert verdict.cause == (f"its gain is {gain:.3g}" if start else "")
    assert verdict.is_alone is bool(start)
    assert judged([gain, 1.0, 1.0]).verdict == "stable"  # what the first does to the gradient by the input


def test_no_weights_are_divided_for_a_doubled_shortcut():
    blocks = [
        AuditedBlock(f"b{k}.fc", 2.0 if k == 2 else 1.0, 0.1, (k,), shortcut=2.0 if k == 2 else 1.0) for k in range(5)
    ]
    layers = [AuditedLayer(block.name, "dense", block.gain, spread=0.1) for block in blocks]
    verdict = judge(layers, blocks, {})[1]
    assert (verdict.start, verdict.cause) == ("b2.fc", "its residual connection multiplies by 2")
    assert np.isnan(verdict.excess)


def test_a_part_that_passes_nothing_on_is_dead():
    verdict = judged([1.0, 1.0, 0.0, math.nan, 0.0])
    assert (verdict.verdict, verdict.start) == ("vanishes", "p2")
    assert verdict.cause == "nothing of its input comes through: no gradient passes"


def test_what_made_the_input_of_a_norm_large_is_to_blame():
    sizes, kinds = [1.0, 1e6, 1e6, 1.0], ["Linear", "Embedding", "Block", "LayerNorm"]
    layers = [
        AuditedLayer(f"p{k}", kind, 1.0, mean_square_a=size)
        for k, (kind, size) in enumerate(zip(kinds, sizes, strict=True))
    ]
    verdict = AuditVerdict("vanishes", "p3", "its gain is 0.001", is_alone=True, excess=0.001)
    blamed = rules._before_a_norm(verdict, layers)
    assert (blamed.is_alone, np.isnan(blamed.excess)) == (False, True)  # it is another that stands out
    assert blamed.start == "p1"
    assert blamed.cause == "its output is 1e+03 large, by which p3 divides the gradient: its gain is 0.001"
    for other in (verdict._replace(verdict="explodes"), verdict._replace(start="p2"), verdict._replace(start="p0")):
        assert rules._before_a_norm(other, layers) == other


_FINE = AuditVerdict("stable", None, "")


def test_weights_before_an_attention_make_its_logits_large():
    layers = [AuditedLayer(f"b.{k}", "Block", 1.0) for k in range(3)]
    scales = {"b.1": OutOfScale(30.0, "norm.weight")}
    after = rules._of_attention(
        "b.2.attention", "its attention logits are large", Measurement(layers, [], math.nan, scales=scales), _FINE
    )
    assert (after.verdict, after.start) == ("saturates", "b.1")
    assert (
        after.cause
        == "its norm.weight is 30 times as large as that of its peers; so in b.2.attention, after it, the attention logits are large"
    )
    for module in ("b.1.attention", "b.0.attention"):
        own = rules._of_attention(module, "it is large", Measurement(layers, [], math.nan, scales=scales), _FINE)
        assert own[:3] == AuditVerdict("saturates", module, "it is large")[:3]
        assert own.headline == "Attention saturates in {}, while gradients stay in range"
    grows = AuditVerdict("explodes", "b.0", "its gain is 50")
    told = rules._of_attention("b.2", "its attention logits are large", Measurement(layers, [], math.nan), grows)
    assert told == grows._replace(cause="its gain is 50; and in b.2 the attention logits are large")


def test_of_few_attentions_none_is_usual():
    calls = [Logits(f"b{k}", 0, 1.0, 9.0 if k == 2 else 1.0) for k in range(5)]
    assert attention_fault(calls) == ("b2", "its attention logits deviate by 9 within a row, where 1 is usual here")
    assert attention_fault(calls[:4]) is None  # as of four layers none is


def test_logits_times_a_temperature_may_be_larger_than_dot_products():
    for length, fault in [(0, None), (32, "b2")]:  # cosine attention, as that of Swin v2, starts at ten times a cosine
        calls = [Logits(f"b{k}", length, 0.25, 1.7 if k == 2 else 0.4) for k in range(5)]
        assert (attention_fault(calls) or [None])[0] == fault


def test_rows_of_a_loop_say_what_the_verdict_says():
    verdict = AuditVerdict("vanishes", "b.rnn", "through time")
    rows = [rules._in_loop(AuditedLayer(name, "Block", 1.0), verdict) for name in ("b", "b.rnn", "c")]
    assert [row.verdict for row in rows] == ["fades", "fades", "steady"]
    assert rules._in_loop(rows[2], AuditVerdict("stable", None, "")) is rows[2]
    growing = rules._in_loop(rows[2], AuditVerdict("explodes", "c", "why"))
    assert (growing.verdict, growing.cause) == ("grows", "why")
    assert np.isnan(verdict.excess)


@pytest.mark.parametrize("count", [1, 4, 9])
def test_logits_of_which_softmax_leaves_one_are_named_however_many_layers_have_them(count):
    calls = [Logits(f"b{k}", 16, 0.25, 16.0) for k in range(count)]
    assert attention_fault(calls) == (
        "b0",
        "its attention logits deviate by 16 within a row, of which a softmax makes a single 1",
    )
    assert attention_fault([Logits(f"b{k}", 16, 0.25, 5.0) for k in range(count)]) is None  # as trained ones may


_SIZES = [0.05, 0.4, 0.8, 1.2, 1.6, 2.0, 2.4]  # of a stream that gets used to its scale


@pytest.mark.parametrize(
    ("sizes", "faults", "names"),
    [
        (_SIZES, {}, []),
        (_SIZES, {1: 2.0}, ["b1"]),
        (_SIZES, {2: 2.0}, ["b2"]),
        ([1.0] * 7, {1: 1.9}, ["b1"]),
        ([math.nan] * 7, {2: 1.9}, ["b2"]),
    ],
)
def test_a_residual_block_is_judged_by_the_size_of_what_it_takes(sizes, faults, names):
    usual = [math.sqrt(1.0 + 0.3 / size**2) if size > 0.0 else 1.05 for size in sizes]
    blocks = [
        AuditedBlock(f"b{k}", gain * faults.get(k, 1.0), 0.05, (), f"Block{COMPOSITE}", took=size)
        for k, (gain, size) in enumerate(zip(usual, sizes, strict=True))
    ]
    assert [name for name, _, _ in outliers._odd_ones(blocks)] == names
