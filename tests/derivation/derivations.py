"""What derivations say, line by line: `python -m tests.derivation.derivations` writes it to derivations.txt, which a test reads."""

from collections.abc import Iterator
from pathlib import Path

import sympy

from gradtheory.derivation.printing import formula, text
from tests.derivation.derived import derived

PATH = Path(__file__).with_suffix(".txt")
_L = sympy.Symbol("L", integer=True, positive=True)
_VALUES = {"x": "0.5", "y": 1, "w1": 2, "b1": "-1/3", "w2": "-1.5", "b2": 0}
_EXPLOSIONS = ("sigmoid", "tanh", "gaussian", "hard_tanh", "leaky_relu", "sine", "gelu")
_WIDEST = ("sigmoid", "arctan", "gelu", "hard_tanh", "relu", "isru", "arsinh")
ASKED = (
    *(("gradient", {"depth": 3, "wrt": wrt}) for wrt in ("w2", "x")),
    ("gradient", {"depth": 2, "activation": "hard_tanh", "loss": "squared", "values": _VALUES}),
    ("gradient", {"depth": 12, "activation": "elu", "wrt": "b1"}),
    ("gradient", {"depth": 1, "loss": "cross_entropy"}),
    ("gradient", {"depth": _L}),
    *(("gradient", {"depth": 3, "activation": name}) for name in ("gelu", "silu", "relu")),
    ("gradient", {"depth": 1, "activation": "relu", "wrt": "b1"}),
    *(("slope_maximum", {"activation": name}) for name in ("sigmoid", "hard_tanh", "elu", "sine", "quadratic")),
    *(("explosion", {"activation": name}) for name in _EXPLOSIONS),
    *(("explosion", {"values": {"w": w, "b": "-0.3", "c": "1/3"}}) for w in (7, "-5/3", 1)),
    ("explosion", {"activation": "gelu", "values": {"w": -3, "b": 1, "c": 2}}),
    *(("widest", {"activation": name}) for name in _WIDEST),
    *(("weak_norm", {"activation": name}) for name in ("sigmoid", "gelu", "relu", "sine")),
    *(("depth", {"activation": name}) for name in ("sigmoid", "softsign", "cloglog", "isru", "hard_tanh", "relu")),
    *(("stability", {"optimiser": name}) for name in ("gradient_descent", "heavy_ball", "nesterov", "adam", "adamw")),
    *(("weight_decay", {"activation": name}) for name in ("sigmoid", "relu", "quadratic")),
    *(("clipping", {"activation": name}) for name in ("sigmoid", "quadratic")),
    ("initialisation", {"values": {"sigma_w": "2.5", "c": "3/4"}}),
    ("initialisation", {"activation": "quadratic"}),
    *((block, {}) for block in ("residual", "layer_norm", "batch_norm", "dropout", "attention")),
    *(("recurrent", {"activation": name}) for name in ("tanh", "relu6", "quadratic")),
)
DOCUMENTS = (
    ("slope_maximum", {"activation": "tanh"}),
    ("initialisation", {"depth": 5, "values": {"sigma_w": "2.5", "c": "3/4"}, "lang": "zh"}),
    ("stability", {"optimiser": "adam", "title": "Adam"}),
    ("depth", {"activation": "tanh"}),
)


def lines(topic: str, asked: dict[str, object]) -> str:
    """Return what a derivation starts from, and of each step where it stands, why it holds, and what it says."""
    derivation = derived(topic, **asked)
    written = [f"{topic} {asked}"]
    for definition in derivation.definitions:
        written += [f"given: {text(definition)}", *_rows(definition)]
    for step in derivation.steps:
        written.append(f"{step.section}, {step.rule}, {step.fact}: {text(step.statement, *step.assumptions)}")
        written += _rows(step.statement)
    return "\n".join(written)


def document(topic: str, asked: dict[str, object]) -> str:
    """Return a derivation in words."""
    return f"{topic} {asked} in words\n{derived(topic, **asked).to_text()}"


def _rows(statement: sympy.Basic) -> Iterator[str]:
    for left, right in formula(statement).rows:
        yield f"    {left} & {right}"


if __name__ == "__main__":
    parts = [*(lines(*asked) for asked in ASKED), *(document(*asked) for asked in DOCUMENTS)]
    PATH.write_text("What derivations say.\n== " + "\n== ".join(parts), "utf-8")
