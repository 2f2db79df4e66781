"""What a failed check says: the smallest failing network, where it goes wrong, by how much, and a test to paste."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradtheory.networks.network import Network
from gradtheory.random_weights.floats import FloatType
from gradtheory.testing.cases import NetworkCase
from gradtheory.testing.verdict import Failure, GradientEntry

_MOST_ROWS = 16
_SAME_FACTOR = 1e-6


def message(failure: Failure, name: str, dtype: FloatType, heading: str) -> str:
    """Return the text of the AssertionError.

    Parameters
    ----------
    failure : Failure
        What went wrong.
    name : str
        The implementation's.
    dtype : FloatType
        The float type it was asked to compute in.
    heading : str
        What the case is called, such as "smallest failing case".

    """
    lines = [f"{name}: {_summary(failure)}", *_case(failure, heading)]
    if failure.entries:
        lines += ["", *_table(failure, dtype), "", *_diagnosis(failure)]
    return "\n".join([*lines, "", "To go on from here, paste this into a test:", "", *_test(failure, name, dtype)])


def _summary(failure: Failure) -> str:
    if failure.trouble:
        return failure.trouble
    worst = max(failure.wrong, key=lambda entry: entry.ratio)
    return f"{_named(worst)} is wrong: {worst.returned!r} in place of {worst.exact!r}"


def _named(entry: GradientEntry) -> str:
    if entry.kind == "loss":
        return "the loss"
    if entry.kind == "x":
        return f"∂C/∂x of sample {entry.place[0]}"
    place = "" if not any(entry.place) else f", entry {list(entry.place)}"
    return f"∂C/∂{entry.kind} of layer {entry.layer}{place}"


def _case(failure: Failure, heading: str) -> Iterator[str]:
    model, x, y, w, b = failure.case
    size = f"widths {model.widths}" if isinstance(model, Network) else f"depth {model.depth}"
    names = [record.name for record in model.layer_activations]
    activation = ", ".join(names) if len({*names}) > 1 else names[0]
    yield f"{heading}: {size}, {activation}, {model.loss} loss, batch {len(x)}"
    for letter, numbers in (("x", x), ("y", y), ("w", w), ("b", b)):
        yield f"    {letter} = {_literal(numbers)}"


def _literal(numbers: Any) -> str:
    if isinstance(numbers, tuple):
        return f"[{', '.join(map(_literal, numbers))}]"
    return repr(np.asarray(numbers).tolist())


def _table(failure: Failure, dtype: FloatType) -> Iterator[str]:
    yield f"{'':<22}{'yours':>24}{'exact':>24}{'ulp':>10}{'error / allowed':>17}"
    entries = failure.entries
    if len(entries) > _MOST_ROWS:
        entries = tuple(sorted(entries, key=lambda entry: -entry.ratio)[:_MOST_ROWS])
    for entry in entries:
        mark = "" if entry.is_right else "  wrong"
        label = "loss" if entry.kind == "loss" else _short(entry)
        ulp = ulps(entry.returned, entry.exact, dtype)
        yield f"  {label:<20}{entry.returned:>24.17g}{entry.exact:>24.17g}{ulp:>10.3g}{entry.ratio:>17.3g}{mark}"
    if len(failure.entries) > _MOST_ROWS:
        yield f"  ... {len(failure.entries) - _MOST_ROWS} more, less wrong"


def _short(entry: GradientEntry) -> str:
    if entry.kind == "x":
        return f"x[{', '.join(map(str, entry.place if entry.place[-1] else entry.place[:1]))}]"
    inside = f"[{', '.join(map(str, entry.place))}]" if any(entry.place) else ""
    return f"{entry.kind}, layer {entry.layer}{inside}"


def ulps(returned: float, exact: float, dtype: FloatType) -> float:
    """Return an error in units in the last place of the exact number."""
    if returned == exact or not math.isfinite(exact):
        return 0.0
    return abs(returned - exact) / float(dtype.unit(exact)) if math.isfinite(returned) else math.inf


def _diagnosis(failure: Failure) -> Iterator[str]:
    yield _where(failure)
    if hint := _hint(failure):
        yield hint
    elif failure.is_float32:
        yield "Errors of this size are float32's: is something computed in it? If that is meant, pass dtype='float32'."
    yield "Allowed is what rounding explains: 16 units in the last place in every activation and 2 in every other"
    yield "operation, each times the condition number of the gradient for it."


def _where(failure: Failure) -> str:
    """Say in which layer the first wrong number is made, from the loss back."""
    by_kind = {kind: [each for each in failure.wrong if each.kind == kind] for kind in ("loss", "w", "b", "x")}
    checked = {each.kind for each in failure.entries}
    depth = max((each.layer for each in failure.entries), default=0)
    forward = "" if "loss" in checked else " Or the forward pass is wrong: return the loss too, and that is checked."
    if by_kind["loss"]:
        return "The loss is wrong already: look at the forward pass, or at the loss itself."
    if by_kind["b"]:
        layer = max(each.layer for each in by_kind["b"])
        by_w = [each for each in failure.entries if (each.kind, each.layer) == ("w", layer)]
        if any(each.exact for each in by_w) and all(each.is_right for each in by_w):
            return f"Layer {layer} is where it goes wrong: ∂C/∂w is right there, so δ is, but not its sum, ∂C/∂b."
        made = "from the loss" if layer == depth else f"from δ of layer {layer + 1}, which is right"
        return (
            f"Layer {layer} is where it goes wrong: δ = ∂C/∂b of layer {layer} is made {made}, by σ'(z) and w.{forward}"
        )
    if by_kind["w"]:
        layer = max(each.layer for each in by_kind["w"])
        suspects = "δ is right there, so look at a" if "b" in checked else "look at both"
        return f"Layer {layer} is where it goes wrong: ∂C/∂w is δ times a of the layer before; {suspects}.{forward}"
    if checked == {"x"}:
        return "Only ∂C/∂x is known: return the loss and the other gradients too, and the layer is found."
    return "All else is right: look at how ∂C/∂x is made from δ and w of layer 1."


def _hint(failure: Failure) -> str:
    """Say what the wrong numbers have in common."""
    for kind in ("w", "b"):
        if _is_reversed([each for each in failure.entries if each.kind == kind]):
            return f"∂C/∂{kind} is right in reversed order: are the layers counted from the output?"
    factors = [each.returned / each.exact for each in failure.wrong if each.exact and np.isfinite(each.returned)]
    if len(factors) < len(failure.wrong) or not factors:
        return "It is not finite where the exact number is." if not _all_finite(failure) else ""
    factor = factors[0]
    if any(abs(each - factor) > _SAME_FACTOR * abs(factor) for each in factors) or abs(factor - 1) < _SAME_FACTOR:
        return ""
    batch = len(failure.case.x)
    named = {-1.0: ", a sign", 0.0: ""}
    if all(each in failure.wrong for each in failure.entries if each.exact and each.kind != "loss"):
        named[2.0] = ", as without the ½ of the loss"
    if batch > 1:
        named[1.0 / batch] = f", as the mean over the batch of {batch} is of the sum"
    meant = next((text for number, text in named.items() if abs(factor - number) < _SAME_FACTOR), None)
    if meant is None and len({abs(each.exact) for each in failure.wrong}) == 1 < len(failure.entries):
        return ""  # at a simple point other numbers may be as far off
    return f"Every wrong number is {factor:.6g} times the exact one{meant or ''}."


def _is_reversed(entries: list[GradientEntry]) -> bool:
    """Return whether numbers of one kind are wrong, and right in the reversed order of layers."""
    layers = [list(layer) for _, layer in itertools.groupby(entries, key=lambda entry: entry.layer)]
    if len(layers) < 2 or all(each.is_right for each in entries):
        return False
    pairs = zip(itertools.chain(*layers), itertools.chain(*layers[::-1]), strict=True)
    return all(abs(entry.returned - mirrored.exact) <= mirrored.allowed for entry, mirrored in pairs)


def _all_finite(failure: Failure) -> bool:
    return all(np.isfinite(each.returned) for each in failure.wrong)


def _test(failure: Failure, name: str, dtype: FloatType) -> Iterator[str]:
    model, x, y, w, b = failure.case
    which = "assert_network_gradients_at" if isinstance(failure.case, NetworkCase) else "assert_gradients_at"
    activations = _source(model.layer_activations)
    yield from ["    import gradtheory"] if "gradtheory." in activations else []
    yield "    from gradtheory import testing"
    yield ""
    yield "    def test_the_smallest_failing_case():"
    yield f"        testing.{which}("
    arguments = [f"x={_literal(x)}", f"y={_literal(y)}", f"w={_literal(w)}", f"b={_literal(b)}"]
    for argument in (name if name.isidentifier() else "fn", *arguments):
        yield f"            {argument},"
    yield f"            activation={activations},"
    if model.loss != "squared":
        yield f"            loss={model.loss!r},"
    if dtype.name != "float64":
        yield f"            dtype={dtype.name!r},"
    if failure.either_at_kinks:
        yield "            at_kinks='either',"
    yield "        )"


def _source(activations: Any) -> str:
    """Return what makes the activations, as Python."""
    written = [repr(each.source) if isinstance(each.source, str) else _own(each) for each in activations]
    return written[0] if len(set(written)) == 1 else f"[{', '.join(written)}]"


def _own(record: Any) -> str:
    return repr(record.name) if record.source is None else f"gradtheory.expression({str(record.expr)!r})"
