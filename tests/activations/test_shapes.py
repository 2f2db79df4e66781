"""The representatives stand for the whole catalogue: no activation has a form, or limits, that none of them has."""

import gradtheory as gt
from tests.shapes import SHAPES, signature


def test_every_activation_has_the_form_and_the_limits_of_representatives():
    forms, limits = map(set, zip(*(signature(gt.activation(shape)) for shape in SHAPES), strict=True))
    signatures = {name: signature(gt.activation(name)) for name in gt.activation_names()}
    missing = [name for name, (form, ends) in signatures.items() if form not in forms or ends not in limits]
    assert not missing, "add one of these to tests/shapes.py"


def test_no_two_representatives_have_one_signature():
    assert len({signature(gt.activation(shape)) for shape in SHAPES}) == len(SHAPES)
