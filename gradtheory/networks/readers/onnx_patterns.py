"""What exporters of ONNX write in several operators: activations such as gelu, silu and mish, LayerNorm and RMSNorm."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.networks.nodes import LayerNorm

_INPUTS = {"Mul": 2, "Add": 2, "Sub": 2}  # 1 elsewhere
Root: TypeAlias = tuple[float, frozenset[str]]  # ε, and the operators on the way
_FLOAT32 = 1e-6  # how far a constant may be from what it stands for, relative to it


class Pattern(NamedTuple):
    """Operators that are one operation: its input, its activation or norm, and the outputs of the operators within."""

    source: str
    operation: str | LayerNorm
    within: frozenset[str]


def patterns(nodes: Sequence[Any], arrays: Mapping[str, Array]) -> dict[str, Pattern]:
    """Return the patterns in a graph by their outputs."""
    return _Search(nodes, arrays).all()


class _Search:
    def __init__(self, nodes: Sequence[Any], arrays: Mapping[str, Array]) -> None:
        self._nodes, self._arrays = nodes, arrays
        self._makers = {node.output[0]: node for node in nodes if len(node.output) == 1}

    def all(self) -> dict[str, Pattern]:
        rules = (self._gelu, self._gated, self._softsign, self._of_one, self._layer_norm, self._rms_norm)
        matches = (
            (node, match) for node in self._nodes if len(node.output) == 1 for rule in rules for match in rule(node)
        )
        return {node.output[0]: match for node, match in matches}

    def _gelu(self, node: Any) -> Iterator[Pattern]:
        """Find z·(1 + erf(z/√2))/2, and z·(1 + tanh(√(2/π)·(z + 0.044715·z³)))/2."""
        for z, other, halved in self._halves(node):
            plus = self._made(other, "Add")
            inner = self._other(plus, "Add", 1.0)
            erf, tanh = self._made(inner, "Erf"), self._made(inner, "Tanh")
            scaled = None if erf is None else self._makers.get(erf.input[0])
            if scaled is not None and self._times(scaled, 0.5**0.5) == z:
                yield Pattern(z, "gelu", _outputs(scaled, erf, plus, halved))
            scaled = None if tanh is None else self._makers.get(tanh.input[0])
            cubic = self._made(self._times(scaled, math.sqrt(2.0 / math.pi)), "Add")
            for first, second in _both(cubic):
                kappa = self._makers.get(second)
                within = self._cube(self._times(kappa, 0.044715), z)
                if first == z and within is not None:
                    yield Pattern(z, "gelu_tanh", within | _outputs(kappa, cubic, scaled, tanh, plus, halved))

    def _halves(self, node: Any) -> Iterator[tuple[str, str, Any]]:
        """Yield z, what it is multiplied by beside 1/2, and the inner one of both products, whichever comes first."""
        outer = self._made(self._times(node, 0.5), "Mul")
        yield from ((z, other, outer) for z, other in _both(outer))
        for one, two in _both(node if node.op_type == "Mul" else None):
            half = self._makers.get(one)
            whole = self._times(half, 0.5)
            if whole is not None:
                yield whole, two, half
                yield two, whole, half

    def _cube(self, name: str | None, z: str) -> frozenset[str] | None:
        """Return the outputs on the way, where a name is z³."""
        node = self._makers.get(name) if name else None
        if node is None or node.op_type == "Pow":
            return _outputs(node) if node is not None and self._is_power(node, z, 3.0) else None
        for one, two in _both(node if node.op_type == "Mul" else None):
            square = self._makers.get(two)
            if one == z and square is not None and self._is_square(square, z):
                return _outputs(node, square)
        return None

    def _gated(self, product: Any) -> Iterator[Pattern]:
        """Find z·sigmoid(z), z·tanh(softplus(z)), and z times the hard sigmoid of slope 1/6."""
        for z, other in _both(product if product.op_type == "Mul" else None):
            sigmoid, tanh, hard = (self._made(other, kind) for kind in ("Sigmoid", "Tanh", "HardSigmoid"))
            softplus = None if tanh is None else self._made(tanh.input[0], "Softplus")
            if sigmoid is not None and sigmoid.input[0] == z:
                yield Pattern(z, "silu", _outputs(sigmoid))
            elif softplus is not None and softplus.input[0] == z:
                yield Pattern(z, "mish", _outputs(softplus, tanh))
            elif hard is not None and hard.input[0] == z:
                options = {"alpha": 0.2, "beta": 0.5} | {each.name: each.f for each in hard.attribute}
                if options["beta"] == 0.5 and abs(6.0 * options["alpha"] - 1.0) < _FLOAT32:
                    yield Pattern(z, "hard_swish", _outputs(hard))

    def _softsign(self, quotient: Any) -> Iterator[Pattern]:
        """Find z/(1 + |z|)."""
        if quotient.op_type == "Div" and len(quotient.input) == 2:
            plus = self._made(quotient.input[1], "Add")
            size = self._made(self._other(plus, "Add", 1.0), "Abs")
            if size is not None and size.input[0] == quotient.input[0]:
                yield Pattern(str(quotient.input[0]), "softsign", _outputs(size, plus))

    def _of_one(self, node: Any) -> Iterator[Pattern]:
        """Find log(sigmoid(z)), and z - tanh(z)."""
        sigmoid = self._made(node.input[0], "Sigmoid") if node.op_type == "Log" and node.input else None
        tanh = self._made(node.input[1], "Tanh") if node.op_type == "Sub" and len(node.input) == 2 else None
        if sigmoid is not None:
            yield Pattern(str(sigmoid.input[0]), "log_sigmoid", _outputs(sigmoid))
        if tanh is not None and tanh.input[0] == node.input[0]:
            yield Pattern(str(node.input[0]), "tanhshrink", _outputs(tanh))

    def _layer_norm(self, quotient: Any) -> Iterator[Pattern]:
        """Find (z - mean z)/√(mean (z - mean z)² + ε)."""
        if quotient.op_type != "Div" or len(quotient.input) != 2:
            return
        centred = self._made(quotient.input[0], "Sub")
        mean = self._made(centred.input[1], "ReduceMean") if centred is not None else None
        if mean is None or not self._is_over_rows(mean) or mean.input[0] != centred.input[0]:
            return
        root = self._root(quotient.input[1], quotient.input[0])
        if root is not None:
            epsilon, inner = root
            norm = LayerNorm(None, None, epsilon)
            yield Pattern(centred.input[0], norm, inner | _outputs(centred, mean))

    def _rms_norm(self, node: Any) -> Iterator[Pattern]:
        """Find z/√(mean z² + ε), or z·(1/√…), in which z may have been multiplied by the gain before."""
        for numerator, other in [*_both(node if node.op_type == "Div" else None)][:1]:
            yield from self._divided(numerator, self._root, other)
        for numerator, other in _both(node if node.op_type == "Mul" else None):
            yield from self._divided(numerator, self._inverse_root, other)

    def _divided(self, numerator: str, root: Callable[[str, str], Root | None], below: str) -> Iterator[Pattern]:
        """Find the norm of z that multiplies z itself, or its product with a gain."""
        gained = [
            (z, self._arrays[other].ravel(), _outputs(self._makers[numerator]))
            for z, other in _both(self._made(numerator, "Mul"))
            if other in self._arrays and self._arrays[other].shape == (self._arrays[other].size,)
        ]
        for z, gain, within in [(numerator, None, frozenset[str]()), *gained]:
            if (known := root(below, z)) is not None and self._made(z, "Sub") is None:
                yield Pattern(z, LayerNorm(gain, None, known[0], is_centred=False), known[1] | within)

    def _inverse_root(self, name: str, of: str) -> Root | None:
        """Return what `_root` does, where a name is 1/√(mean of² + ε), as a power too."""
        node = self._makers.get(name)
        if node is None:
            return None
        if node.op_type == "Pow":
            known = self._mean_square(node.input[0], of) if self._is_power(node, node.input[0], -0.5) else None
        else:
            below = node.input[0] if node.op_type == "Reciprocal" else self._other_of_quotient(node, 1.0)
            known = self._root(below, of) if below else None
        return None if known is None else (known[0], known[1] | _outputs(node))

    def _other_of_quotient(self, node: Any, number: float) -> str | None:
        """Return what a number is divided by; None where a node does not divide that number."""
        over = self._arrays.get(node.input[0]) if node.op_type == "Div" and len(node.input) == 2 else None
        is_it = over is not None and over.size == 1 and float(over.reshape(())) == number
        return str(node.input[1]) if is_it else None

    def _root(self, name: str, of: str) -> Root | None:
        """Return ε, where a name is √(mean of² + ε), and the outputs on the way."""
        root = self._made(name, "Sqrt")
        if root is None:
            root = self._makers.get(name)
            if root is None or root.op_type != "Pow" or not self._is_power(root, root.input[0], 0.5):
                return None
        known = self._mean_square(root.input[0], of)
        return None if known is None else (known[0], known[1] | _outputs(root))

    def _mean_square(self, name: str, of: str) -> Root | None:
        """Return ε, where a name is mean of² + ε, and the outputs on the way."""
        plus = self._made(name, "Add")
        for value, constant in _both(plus):
            mean, epsilon = self._made(value, "ReduceMean"), self._arrays.get(constant)
            square = self._makers.get(mean.input[0]) if mean is not None and self._is_over_rows(mean) else None
            if square is None or epsilon is None or epsilon.size != 1 or not self._is_square(square, of):
                continue
            number = float(str(np.float32(epsilon.reshape(()))))  # the shortest decimal that it is
            return number, _outputs(plus, mean, square)
        return None

    def _is_square(self, node: Any, of: str) -> bool:
        return list(node.input) == [of, of] if node.op_type == "Mul" else self._is_power(node, of, 2.0)

    def _is_power(self, node: Any, of: str, power: float) -> bool:
        is_power = node.op_type == "Pow" and len(node.input) == 2 and node.input[0] == of
        exponent = self._arrays.get(node.input[1]) if is_power else None
        return exponent is not None and exponent.size == 1 and float(exponent.reshape(())) == power

    def _is_over_rows(self, mean: Any) -> bool:
        """Return whether a mean is over the last axis, and keeps it."""
        options = {each.name: list(each.ints) if each.ints else each.i for each in mean.attribute}
        axes = options.get("axes")
        if len(mean.input) > 1:
            given = self._arrays.get(mean.input[1])
            axes = None if given is None else [int(axis) for axis in given.ravel()]
        return axes in ([-1], [1]) and options.get("keepdims", 1) == 1

    def _made(self, name: str | None, kind: str) -> Any:
        """Return the node of that kind that makes a value, or None."""
        node = self._makers.get(name) if name else None
        return node if node is not None and node.op_type == kind and len(node.input) >= _INPUTS.get(kind, 1) else None

    def _times(self, node: Any, factor: float) -> str | None:
        """Return what a node multiplies by a factor, or divides by its inverse; None if it does neither."""
        return self._other(node, "Mul", factor) or self._other(node, "Div", 1.0 / factor)

    def _other(self, node: Any, kind: str, number: float) -> str | None:
        """Return the input of a node beside one constant number, to float32's precision; None where it has none."""
        for value, constant in _both(node if node is not None and node.op_type == kind else None):
            array = self._arrays.get(constant)
            if array is not None and array.size == 1 and abs(float(array.reshape(())) - number) < _FLOAT32 * number:
                return value
        return None


def _both(node: Any) -> tuple[tuple[str, str], ...]:
    """Return both inputs of a node in either order; nothing for None, or where there are not two."""
    if node is None or len(node.input) != 2:
        return ()
    first, second = map(str, node.input)
    return (first, second), (second, first)


def _outputs(*nodes: Any) -> frozenset[str]:
    return frozenset(node.output[0] for node in nodes)
