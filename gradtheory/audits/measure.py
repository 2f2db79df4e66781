"""The measured columns of a network's audit: one forward and one backward pass, and the singular values."""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array, read_real_array
from gradtheory.audits.blocks import blocks_of, kurtosis, norm, norms, ratio
from gradtheory.audits.broken import broken_nodes
from gradtheory.audits.chance import is_flat, spread_of_gain
from gradtheory.audits.layers import NAN, AuditedBlock, AuditedLayer, OutOfScale
from gradtheory.audits.odd_norms import OddNorm, closed_norms, odd_norms
from gradtheory.audits.singular_values import all_of_factor, largest_of_factor
from gradtheory.audits.verdict.outliers import divided_away
from gradtheory.errors import InvalidArgument
from gradtheory.networks import Dense, Network, Node
from gradtheory.networks.array_shapes import read_inputs
from gradtheory.networks.graph import activation_at, followers
from gradtheory.networks.losses import NAMES, ending, read_targets
from gradtheory.networks.passes import Backward, Forward, forward
from gradtheory.random_weights import meanfield
from gradtheory.random_weights.precision import GradientSizes
from gradtheory.typing import ArrayLike

OWN, YOURS, NONE = "the module's own", "yours", "none"  # losses that have no name
_NEARLY_ALL = 0.99
_MOST_SAMPLES = 100_000


@dataclass(frozen=True)
class Measurement:
    """What was measured of a network.

    Attributes
    ----------
    layers : list of AuditedLayer
        From the input to the output.
    blocks : list of AuditedBlock
        Likewise.
    loss : float
        nan where there are no targets.
    loss_name : str
        Which loss that is.
    origin : str or None
        The innermost module whose inputs are finite and whose output is not.
    attention : pair of str or None
        The module whose attention logits are out of scale, and why.
    loop : tuple of str, float, int and str, or None
        The recurrent module through whose time the gradient changes most, the logarithm of the factor, the steps, and
        by what that gradient is.
    is_read_early : bool
        Whether only that fades there which enters at the last step: all of the gradient does not.
    overflows : str
        What overflows at the origin, where a float type is too short for a network that is finite in float64.
    is_started : bool
        Whether the gradient of the loss is finite by what a measured module gives, before it comes to any part.
    network : Network or None
        That which was measured, where a torch module could be read as one.
    shortcut : tuple of str, float and float, or None
        The measured module whose residual connection multiplies by most, that factor, and the usual one.
    recurrent : str
        How large the recurrent weights of that module are.
    scales : dict of str to OutOfScale
        Which weights within a part of a measured module are out of scale, and by how much.
    unreached : str
        Which of its modules get no gradient.
    unseen : sequence of str
        The parts of a measured module that hold several layers and have no gain that counts.
    beside : str
        The weights of a measured module that belong to no part of it.
    broken : dict of str to str
        Which layers or modules have weights that are not finite before anything is run, and what these hold.
    dead : sequence of pairs of str
        The modules within a measured one of which no unit moves, and why.
    closed : sequence of pairs of str
        The norms of a network that let no gradient pass, and why.
    odd : sequence of OddNorm
        The norms whose gains are unlike those of the others, the furthest first.
    without : callable or None
        It returns what is measured with usual gains in their place.
    remarks : dict of str to str
        What is worth knowing of a layer that does no harm.

    """

    layers: list[AuditedLayer]
    blocks: list[AuditedBlock]
    loss: float
    loss_name: str = NONE
    origin: str | None = None
    attention: tuple[str, str] | None = None
    loop: tuple[str, float, int, str] | None = None
    is_read_early: bool = False
    overflows: str = ""
    is_started: bool = True
    network: Network | None = None
    shortcut: tuple[str, float, float] | None = None
    recurrent: str = ""
    scales: Mapping[str, OutOfScale] = field(default_factory=dict)
    unreached: str = ""
    unseen: Sequence[str] = ()
    beside: str = ""
    broken: Mapping[str, str] = field(default_factory=dict)
    dead: Sequence[tuple[str, str]] = ()
    closed: Sequence[tuple[str, str]] = ()
    odd: Sequence[OddNorm] = ()
    without: "Callable[[], Measurement] | None" = None
    remarks: Mapping[str, str] = field(default_factory=dict)


def measure_network(network: Network, x: ArrayLike, y: ArrayLike | None, loss: Any, seed: int) -> Measurement:
    """Return what is measured of a network on its data; the arguments are checked."""
    inputs = read_inputs(x, network.n_inputs)
    if not 1 <= len(inputs) <= _MOST_SAMPLES:
        raise InvalidArgument("x.shape", inputs.shape, f"must have from 1 to {_MOST_SAMPLES} rows")
    name = network.loss if loss is None else loss
    if not isinstance(name, str) or name not in NAMES:
        raise InvalidArgument("loss", loss, f"must be one of {', '.join(map(repr, NAMES))}")
    measured = _measure(network, inputs, None if y is None else read_real_array(y, "y"), name, seed)
    return measured if y is None else replace(measured, loss_name=name)


def _measure(network: Network, x: Array, y: Array | None, loss: str, seed: int) -> Measurement:
    """Return what a forward and a backward pass tell; without targets random gradients start at the output."""
    with np.errstate(all="ignore"):
        passed = forward(network.nodes, x)
        if y is None:
            random = np.random.default_rng(seed).standard_normal(passed.output.shape)
            back, value = passed.back(np.asarray(random)), NAN
        else:
            end = ending(loss, passed, read_targets(loss, y, passed.output.shape))
            back, value = passed.back(end.gradient, end.place), end.loss
        dense = [place for place, node in enumerate(network.nodes) if isinstance(node.operation, Dense)]
        behind = followers(network.nodes)
        layers = _with_predictions(
            [_layer(network.nodes, place, behind.get(place), passed, back, loss) for place in dense]
        )
        blocks = blocks_of(network.nodes, dense, layers, passed, back)
    odd, nodes = odd_norms(network.nodes)
    mended = Network.from_nodes(nodes, network.n_inputs, network.loss) if odd else None
    return Measurement(
        layers,
        blocks,
        value,
        network=network,
        broken=broken_nodes(network.nodes),
        remarks=divided_away(layers),
        closed=closed_norms(network.nodes, passed),
        odd=odd,
        without=None if mended is None else functools.partial(_measure, mended, x, y, loss, seed),
    )


def _layer(
    nodes: Sequence[Node], place: int, follower: int | None, passed: Forward, back: Backward, loss: str
) -> AuditedLayer:
    """Return what is measured of a dense layer, with the activation after it."""
    dense = nodes[place].operation
    assert isinstance(dense, Dense)  # noqa: S101  # `measure` chose it
    z, record = passed.values[place], activation_at(nodes, follower)
    value: Array = z
    slopes: Array = np.ones_like(z)
    if follower is not None:
        value, slopes = passed.values[follower], passed.kept[follower][1]
    by_z = back.at(place, passed)
    by_value = None if follower is None else back.by_output[follower]
    if follower is not None and by_value is None and loss == "cross_entropy":  # it takes z, and divides by σ'
        record, slopes = activation_at(nodes, None), np.ones_like(z)
    by_output = by_z if by_value is None else by_value
    by_input = by_z @ dense.w
    outer, inner, through = norm(by_output), norm(by_input), norm(by_z)
    n_out, n_in = dense.w.shape
    fourth = kurtosis(slopes)
    sigma_w = norm(dense.w) / math.sqrt(n_out)
    mean_square = float(np.mean(z * z))
    largest, error = largest_of_factor(dense.w, slopes, by_z)
    by_parameters = by_z.T @ passed.kept[place], by_z.sum(axis=0)
    samples = norms(by_input, 1), norms(by_output, 1)
    return AuditedLayer(
        name=nodes[place].name,
        kind=f"dense {n_in} → {n_out}" + ("" if follower is None else f", {activation_at(nodes, follower).name}"),
        gain=ratio(inner, outer),
        slope_gain=ratio(through, outer),
        weight_gain=ratio(inner, through),
        largest_singular_value=largest,
        singular_value_error=error,
        share_above_1=float(np.mean(samples[0] > samples[1])) if math.isfinite(inner + outer) else NAN,
        mean_square_z=mean_square,
        mean_square_a=float(np.mean(value * value)),
        saturated=float(np.mean(np.mean(is_flat(slopes, record), axis=0) > _NEARLY_ALL)),
        dead=float(np.mean(np.all(slopes == 0.0, axis=0))),
        gradient_norm=math.hypot(*map(norm, by_parameters)),
        gradient_sizes=GradientSizes.of(by_parameters, [by_z]),
        sigma_w=sigma_w,
        sigma_b=0.0 if dense.b is None else norm(dense.b) / math.sqrt(n_out),
        spread=spread_of_gain(fourth, n_out, n_in) if fourth > 0.0 else NAN,
        activation=record,
        fans=(n_in, n_out),
        is_finite=bool(np.isfinite(z).all()),
        is_gradient_finite=all(bool(np.isfinite(each).all()) for each in (by_input, *by_parameters)),
        singular_values=all_of_factor(dense.w, slopes, by_z),
    )


def _with_predictions(layers: Sequence[AuditedLayer]) -> list[AuditedLayer]:
    """Return the layers with √χ for Gaussian pre-activations of their mean squares, all of one activation at once."""
    predicted = list(layers)
    can_be = [0.0 < layer.mean_square_z < math.inf and layer.sigma_w > 0.0 for layer in layers]
    for record in {layer.activation for layer in layers}:
        places = [k for k, layer in enumerate(layers) if can_be[k] and layer.activation == record]
        q, sigma_w = (np.array([getattr(layers[k], name) for k in places]) for name in ("mean_square_z", "sigma_w"))
        if record is not None and places:
            for k, chi in zip(places, _chi(record, q, sigma_w), strict=True):
                predicted[k] = replace(layers[k], predicted_gain=math.sqrt(float(chi)))
    return predicted


def _chi(record: Activation, q: Array, sigma_w: Array) -> Array:
    """Return χ₁ of each layer; nan where the moment of the slope diverges or leaves float64."""
    try:
        return np.asarray(meanfield.chi(record, q, sigma_w))
    except InvalidArgument:  # of one of them at least
        if len(q) == 1:
            return np.full(1, NAN)
        return np.concatenate([_chi(record, *one) for one in zip(q[:, None], sigma_w[:, None], strict=True)])
