"""Arrays that are passed to a network: real, finite, and of the shapes that its widths say."""

from collections.abc import Sequence
from typing import Any

from gradtheory.arithmetic.inputs import Array, read_finite_array, read_layers
from gradtheory.errors import InvalidArgument


def read_inputs(x: Any, width: int, *, for_a_loss: bool = False) -> Array:
    """Return inputs of shape (batch, width); of none there are outputs, but no loss."""
    inputs = read_finite_array(x, "x")
    if inputs.ndim != 2 or inputs.shape[1] != width:
        raise InvalidArgument("x.shape", inputs.shape, f"must be (batch, {width}): one sample a row")
    if for_a_loss and not len(inputs):
        raise InvalidArgument("x.shape", inputs.shape, "must hold at least one sample, a row each")
    return inputs


def read_of_shape(value: Any, name: str, shape: tuple[int, ...]) -> Array:
    """Return an array of that shape."""
    array = read_finite_array(value, name)
    if array.shape != shape:
        raise InvalidArgument(f"{name}.shape", array.shape, f"must be {shape}, by the widths")
    return array


def read_matrices(widths: Sequence[int], w: Any) -> tuple[Array, ...]:
    """Return the weights of dense layers, of shapes (n_l, n_{l-1})."""
    return _read([*zip(widths[1:], widths[:-1], strict=True)], w, "w")


def read_vectors(widths: Sequence[int], b: Any) -> tuple[Array, ...]:
    """Return the biases of dense layers, of shapes (n_l,)."""
    return _read([(width,) for width in widths[1:]], b, "b")


def _read(shapes: Sequence[tuple[int, ...]], value: Any, name: str) -> tuple[Array, ...]:
    items = read_layers(value, name, len(shapes), f"a sequence of {len(shapes)} arrays")
    return tuple(
        read_of_shape(item, f"{name}[{place}]", shape)
        for place, (item, shape) in enumerate(zip(items, shapes, strict=True))
    )
