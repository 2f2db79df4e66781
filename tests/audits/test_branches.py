"""Paths through the parts of a module, and branches beside the stream, each as one block."""

import math

import pytest

from gradtheory.audits.branches import groups, joined
from gradtheory.audits.layers import AuditedBlock
from gradtheory.audits.verdict.stretches import stretch_of


def block(name, gain, *, is_inner=False, path=0, whole=math.nan):
    return AuditedBlock(name, gain, 0.1, (0,), "kind", is_inner=is_inner, path=path, whole=whole)


def test_a_branch_ends_with_the_first_that_lies_in_none():
    blocks = [block("a", 1.0), block("b", 1.0, is_inner=True), block("c", 1.0), block("d", 1.0, is_inner=True)]
    assert groups(blocks) == [[0], [1, 2], [3]]
    blocks.insert(2, block("e", 1.0, path=1))  # of another path
    assert groups(blocks) == [[0], [2], [1, 3], [4]]


def test_a_branch_has_the_product_of_its_gains_and_the_name_of_what_made_it():
    branch = [block("norm", 20.0, is_inner=True, whole=10.0), block("dense", 0.5, whole=10.0)]
    (one,) = joined(branch)
    assert (one.name, one.gain, one.layers) == ("norm", 10.0, (0, 0))
    assert one.spread == pytest.approx(0.1 * math.sqrt(2.0))
    branch = [block("norm", 20.0, is_inner=True, whole=0.1), block("dense", 0.005, whole=0.1)]
    assert joined(branch)[0].name == "dense"


@pytest.mark.parametrize("gain", [math.nan, 0.0, math.inf])
def test_a_branch_with_an_unknown_gain_has_none(gain):
    (one,) = joined([block("norm", gain, is_inner=True, whole=3.0), block("dense", 0.5, whole=3.0)])
    assert (one.name, math.isnan(one.gain)) == ("dense", True)


def test_what_a_norm_does_at_the_mouth_of_a_branch_is_undone_at_its_end():
    blocks = [block("start", 1.0)]
    for number in range(6):
        blocks += [block(f"norm{number}", 30.0, is_inner=True, whole=1.02), block(f"dense{number}", 0.034, whole=1.02)]
    assert stretch_of(blocks) is None
    assert stretch_of([block(each.name, each.gain) for each in blocks]) is not None


def test_blocks_side_by_side_are_no_stretch():
    blocks = [block("start", 1.0), *(block(f"{k}", 2.5, path=k) for k in range(1, 8))]
    assert stretch_of(blocks) is None
    assert stretch_of([block(each.name, each.gain) for each in blocks]).size == pytest.approx(7 * math.log(2.5))
