"""The audit of a network on its data: where gradients grow or fade, by which factor, and why."""

import math
from typing import Any

import numpy as np

from gradtheory.arithmetic.inputs import Array, read_finite_array, read_seed
from gradtheory.audits.judge import judge
from gradtheory.audits.layers import Block
from gradtheory.audits.measure import Measured, measure
from gradtheory.audits.module import is_module, measure_module
from gradtheory.audits.report import Audit
from gradtheory.errors import InvalidArgument
from gradtheory.networks import Network
from gradtheory.networks.losses import NAMES
from gradtheory.networks.reading import read_inputs
from gradtheory.random_weights.overflow import FLOAT_TYPES, overflow_depth
from gradtheory.typing import ArrayLike

_MOST_SAMPLES = 100_000


def audit(
    network: Any,
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    loss: Any = None,
    on_unknown: str = "measure",
    seed: int = 0,
) -> Audit:
    """Return where the gradient of a network grows or fades, layer by layer, and why.

    Of a `gradtheory.Network`, or a torch module that can be read as one, each dense layer is measured on the data, and
    held against what theory says of weights of that scale. Of any other torch module the gains between its parts are
    measured, by hooks.

    Parameters
    ----------
    network : Network or torch.nn.Module
        With its weights.
    x : array_like of shape (batch, n_0), or what the torch module takes
        The data.
    y : array_like, optional
        The targets. Left out, gradients start from random ones at the output.
    loss : str or callable, optional
        As for `Network`; by default the network's own, and for a module "mse", or "softmax_cross_entropy" where y are
        classes. For a torch module also a callable of the output and y.
    on_unknown : {"measure", "refuse"}
        What to do with a torch module that holds parts which are not understood: measure it, and say so, or refuse it
        with the list of these parts.
    seed : int
        Of the random gradients.

    Returns
    -------
    Audit
        `.layers`, `.start`, `.verdict`, `.cause`, `.to_html()`, `.to_json()`.

    Raises
    ------
    InvalidArgument
        If the network is none, carries no weights, or the data do not fit.

    References
    ----------
    B. Hanin & M. Nica, "Products of many large random matrices and gradients in deep neural networks" (2018), for the
    spread of gains; S. Schoenholz et al., "Deep information propagation" (2017), for χ.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> w = [rng.normal(0, 2 / 8, (64, 64)) for _ in range(20)]
    >>> b = [np.zeros(64)] * 20
    >>> report = audit(Network((64,) * 21, "relu", w=w, b=b), rng.normal(size=(32, 64)))
    >>> report.verdict, report.start
    ('explodes', 'layer20')

    """
    if on_unknown not in ("measure", "refuse"):
        raise InvalidArgument("on_unknown", on_unknown, "must be 'measure' or 'refuse'")
    seed = read_seed(seed)
    if is_module(network):
        measured, is_measured_only = _of_module(network, x, y, loss, on_unknown, seed)
    elif isinstance(network, Network):
        measured, is_measured_only = _of_network(network, x, y, loss, seed), False
    else:
        raise InvalidArgument("network", network, "must be a gradtheory.Network or a torch.nn.Module")
    layers, verdict = judge(measured.layers, measured.blocks)
    if measured.origin is not None:
        verdict = verdict._replace(start=measured.origin)
    growth = _growth(measured.blocks)
    overflow = {name: overflow_depth(growth, name) for name in FLOAT_TYPES} if 0.0 < growth < math.inf else {}
    return Audit(tuple(layers), *verdict, growth, overflow, measured.loss, is_measured_only)


def _of_network(network: Network, x: ArrayLike, y: ArrayLike | None, loss: Any, seed: int) -> Measured:
    inputs = read_inputs(x, network.n_inputs)
    if not 1 <= len(inputs) <= _MOST_SAMPLES:
        raise InvalidArgument("x.shape", inputs.shape, f"must have from 1 to {_MOST_SAMPLES} rows")
    name = network.loss if loss is None else loss
    if not isinstance(name, str) or name not in NAMES:
        raise InvalidArgument("loss", loss, f"must be one of {', '.join(map(repr, NAMES))}")
    return measure(network, inputs, None if y is None else np.asarray(y), name, seed)


def _of_module(module: Any, x: Any, y: Any, loss: Any, on_unknown: str, seed: int) -> tuple[Measured, bool]:
    """Return what is measured of a torch module: as a network where it can be read as one."""
    if loss is None:
        loss = "softmax_cross_entropy" if y is not None and _are_classes(y) else "mse"
    try:
        network = Network.from_torch(module, loss if isinstance(loss, str) else "mse")
    except InvalidArgument:
        if on_unknown == "refuse":
            raise
        network = None
    if network is not None and isinstance(loss, str):
        data = _array(x, "x")
        if data.ndim == 2:
            return _of_network(network, data, None if y is None else _array(y, "y"), loss, seed), False
    return measure_module(module, x, y, loss, seed), True


def _are_classes(y: Any) -> bool:
    return _array(y, "y").ndim == 1 and np.asarray(_raw(y)).dtype.kind in "iu"


def _array(value: Any, name: str) -> Array:
    return read_finite_array(_raw(value), name)


def _raw(value: Any) -> Any:
    """Return a tensor as an array."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def _growth(blocks: list[Block]) -> float:
    """Return the factor per block, the geometric mean of gains."""
    gains = [block.gain for block in blocks]
    if not gains or not all(math.isfinite(gain) for gain in gains):
        return math.nan
    return math.exp(sum(map(math.log, gains)) / len(gains)) if all(gain > 0.0 for gain in gains) else 0.0
