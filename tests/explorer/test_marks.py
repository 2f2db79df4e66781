"""A full stop stays in the line of the number before it."""

from gradtheory.explorer.chain import chain
from gradtheory.explorer.drawing import STYLE
from gradtheory.explorer.state import State


def test_no_line_breaks_before_a_mark():
    assert chain(State(lang="zh")).here.endswith("</math>。</span>")
    assert ".together { white-space: nowrap; }" in STYLE
