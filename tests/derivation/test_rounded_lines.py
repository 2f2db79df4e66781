"""Lines with numbers put in are equations only where what is written gives what is written."""

import gradtheory as gt
from gradtheory.derivation.digits import InNumbers
from gradtheory.derivation.printing import text


def test_a_rounded_number_put_in_gives_no_equation():
    values = {"x": 1, "y": 0, "w1": "1/3", "w2": 3, "b1": 0, "b2": 0}
    derivation = gt.derive("gradient", depth=2, activation="relu", wrt="w1", values=values)
    lines = [text(step.statement) for step in derivation.steps if isinstance(step.statement, InNumbers)]
    assert lines[1] == "a₁ = z₁ ≈ 0.33333333"
    assert lines[3] == "z₂ = w₂ a₁ + b₂ ≈ 3 · 0.33333333333 ≈ 1"
    assert lines[4] == "a₂ = z₂ = 1"
    assert "\\approx 1" in derivation.to_latex()
