"""What may be changed of a network and of its training, from the smallest change to the largest.

The weights of a layer that stands out; a learning rate; a norm to which gradients are clipped; other sizes of the
initial weights; norms or residual connections between the layers. Each kind comes with the constants that are worth a
trial on this very network.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.inputs import Array
from gradtheory.networks import LayerNorm, Network
from gradtheory.networks.graph import is_plain
from gradtheory.networks.passes import dense_places
from gradtheory.networks.variants import normalised, scaled, unit_variance, with_shortcuts
from gradtheory.random_weights import meanfield
from gradtheory.training.advice.of_chain.bench import USUAL
from gradtheory.training.optimisers.optimiser import Optimiser
from gradtheory.training.remedies.clipping import Clipping, clipping
from gradtheory.training.train import NetworkTraining

KINDS = ("layer_scale", "learning_rate", "clip_gradients", "initialisation", "normalisation", "residual_connections")
_RATES = 0.01, 0.1, 1 / 3, 3.0, 10.0  # times the learning rate
_SHARES = 0.5, 0.1  # quantiles of the gradient norms of the run
_RARE = 10.0  # a norm so many times the median is worth clipping
_ALIKE = 1.1  # factors between weights that are no change


@dataclass(frozen=True)
class Change:
    """A network, and how it is trained.

    Attributes
    ----------
    kind : str
        One of `KINDS`; empty for none.
    value : Any
        Its constant.
    network : Network
    optimiser : Optimiser
    clip : Clipping or None
    layer : str
        Which one is changed; empty for all.

    """

    kind: str
    value: Any
    network: Network
    optimiser: Optimiser
    clip: Clipping | None = None
    layer: str = ""


def changes(
    kind: str, start: Change, usual: NetworkTraining, x: Array, layer: tuple[str, float] | None
) -> Iterator[Change]:
    """Yield the changes of one kind that are worth a trial, given the run without.

    If one layer stands out, it is given too, with the factor that mends its weights.
    """
    match kind:
        case "layer_scale" if layer is not None:
            name, factor = layer
            dense = [start.network.nodes[place].name for place in dense_places(start.network.nodes)]
            network = scaled(start.network, [factor if each == name else 1.0 for each in dense])
            yield replace(start, kind=kind, value=factor, layer=name, network=network)
        case "learning_rate":
            rates = (float(f"{share * start.optimiser.eta:.3g}") for share in _RATES)
            for eta in sorted({USUAL, *rates} - {start.optimiser.eta}):
                yield replace(start, kind=kind, value=eta, optimiser=replace(start.optimiser, eta=eta))
        case "clip_gradients":
            for norm in _thresholds(usual):
                yield replace(start, kind=kind, value=norm, clip=clipping("norm", norm))
        case "initialisation":
            for factors in (_critical(start.network), unit_variance(start.network, x)):
                if any(not 1.0 / _ALIKE < factor < _ALIKE for factor in factors):
                    yield replace(start, kind=kind, value=np.array(factors), network=scaled(start.network, factors))
        case "normalisation" if not any(isinstance(node.operation, LayerNorm) for node in start.network.nodes):
            changed = normalised(start.network)
            if len(changed.nodes) > len(start.network.nodes):
                yield replace(start, kind=kind, value="LayerNorm before each activation", network=changed)
        case "residual_connections" if is_plain(start.network.nodes):
            changed = with_shortcuts(start.network)
            if len(changed.nodes) > len(start.network.nodes):
                yield replace(start, kind=kind, value="around each layer that keeps its width", network=changed)


def _thresholds(usual: NetworkTraining) -> Iterator[float]:
    """Yield norms that the gradients of the run had before its loss jumped, if it did or others were much larger.

    The median clips every other step, the tenth part all but the smallest.
    """
    calm = usual.gradient_norm[: usual.jumps[0] if usual.jumps else None]
    calm = calm[calm > 0.0]
    is_wild = usual.has_diverged or bool(usual.jumps)
    if calm.size and (is_wild or usual.gradient_norm[1:].max(initial=0.0) > _RARE * np.median(calm)):
        for share in _SHARES:
            yield float(f"{np.quantile(calm, share):.3g}")


def _critical(network: Network) -> list[float]:
    """Return by which factors the weights get the scale at which random layers keep gradients: σ_w of the edge."""
    factors = []
    for record, w in zip(network.layer_activations, network.w or (), strict=True):
        size = np.abs(np.asarray(w))
        largest = float(size.max()) or 1.0  # whose square may leave float64
        wanted, has = _edge(record), largest * float(np.sqrt(np.mean(np.square(size / largest)) * size.shape[1]))
        factors.append(wanted / has if 0.0 < wanted < np.inf and 0.0 < has < np.inf else 1.0)
    return factors


@functools.lru_cache(maxsize=256)
def _edge(record: Activation) -> float:
    """Return the critical σ_w, or that of the edge of chaos without biases; nan where there is neither."""
    critical = meanfield.critical_initialisation(record)
    if critical and critical.sigma_w is not None:
        return float(critical.sigma_w)
    return float(np.ravel(meanfield.edge_of_chaos(record, 0.0).sigma_w)[0])
