"""The representatives stand for the whole catalogue: no activation is of a kind that none of them has."""

import gradtheory as gt
from tests.shapes import SHAPES, signature


def test_every_activation_is_of_a_kind_that_has_a_representative():
    kinds = {signature(gt.activation(shape)) for shape in SHAPES}
    missing = [name for name in gt.activation_names() if signature(gt.activation(name)) not in kinds]
    assert not missing, "add one of these to tests/shapes.py"


def test_no_two_representatives_are_of_one_kind():
    assert len({signature(gt.activation(shape)) for shape in SHAPES}) == len(SHAPES)
