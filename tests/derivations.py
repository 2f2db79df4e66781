"""What derivations say, line by line: `python -m tests.derivations` writes it to derivations.txt, which a test reads."""

from collections.abc import Iterator
from pathlib import Path

import sympy

import gradtheory as gt
from gradtheory.derivation.printing import formula, text

PATH = Path(__file__).with_suffix(".txt")
_L = sympy.Symbol("L", integer=True, positive=True)
_VALUES = {"x": "0.5", "y": 1, "w1": 2, "b1": "-1/3", "w2": "-1.5", "b2": 0}
ASKED = (
    *(("gradient", {"depth": 3, "wrt": wrt}) for wrt in ("w2", "x")),
    ("gradient", {"depth": 2, "activation": "hard_tanh", "loss": "squared", "values": _VALUES}),
    ("gradient", {"depth": 12, "activation": "elu", "wrt": "b1"}),
    ("gradient", {"depth": 1, "loss": "cross_entropy"}),
    ("gradient", {"depth": _L}),
    *(("slope_maximum", {"activation": name}) for name in ("sigmoid", "hard_tanh", "elu", "sine", "quadratic")),
    *(
        ("explosion", {"activation": name})
        for name in ("sigmoid", "gaussian", "hard_tanh", "leaky_relu", "sine", "gelu")
    ),
    *(("explosion", {"values": {"w": w, "b": "-0.3", "c": "1/3"}}) for w in (7, "-5/3", 1)),
    ("explosion", {"activation": "gelu", "values": {"w": -3, "b": 1, "c": 2}}),
    *(
        ("widest", {"activation": name})
        for name in ("sigmoid", "arctan", "gelu", "hard_tanh", "relu", "isru", "arsinh")
    ),
    *(("weak_norm", {"activation": name}) for name in ("sigmoid", "gelu", "relu", "sine")),
    *(("stability", {"optimiser": name}) for name in ("gradient_descent", "heavy_ball", "nesterov", "adam", "adamw")),
    *(("weight_decay", {"activation": name}) for name in ("sigmoid", "relu", "quadratic")),
    *(("clipping", {"activation": name}) for name in ("sigmoid", "quadratic")),
    ("initialisation", {"values": {"sigma_w": "2.5", "c": "3/4"}}),
    ("initialisation", {"activation": "quadratic"}),
)


def title(topic: str, asked: dict[str, object]) -> str:
    """Return the line that a derivation stands under."""
    return f"{topic} {asked}"


def said(topic: str, asked: dict[str, object]) -> Iterator[str]:
    """Yield what a derivation starts from, and of each step where it stands, why it holds, and what it says."""
    derivation = gt.derive(topic, **asked)
    for each in derivation.given:
        yield f"given: {text(each)}"
        yield from _rows(each)
    for step in derivation.steps:
        yield f"{step.section}, {step.rule}, {step.fact}: {text(step.statement, *step.assumptions)}"
        yield from _rows(step.statement)


def _rows(statement: sympy.Basic) -> Iterator[str]:
    for left, right in formula(statement).rows:
        yield f"    {left} & {right}"


if __name__ == "__main__":
    parts = ("\n".join((title(*asked), *said(*asked))) for asked in ASKED)
    PATH.write_text("What derivations say.\n== " + "\n== ".join(parts), "utf-8")
