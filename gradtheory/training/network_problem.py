"""A network with its data, as a problem to train: the parameters are its weights, its biases, and those of its norms.

The factor of a layer is max|σ'(z)|·‖W‖, an upper bound of ‖diag(σ'(z))·W‖ that for one neuron per layer is |σ'(z)·w|.
"""

from collections.abc import Sequence

import numpy as np

from gradtheory.arithmetic.inputs import Array, read_finite_array
from gradtheory.chains.layers import steepest_slopes
from gradtheory.errors import InvalidArgument
from gradtheory.networks import Network
from gradtheory.networks.graph import activation_at, followers
from gradtheory.networks.losses import ending
from gradtheory.networks.parameters import gradients, parameters, slots, with_parameters
from gradtheory.networks.passes import Forward, dense_places, forward
from gradtheory.training.batches import Rows
from gradtheory.training.engine import Evaluation, Proximal
from gradtheory.training.events import NonfiniteValue, nonfinite_value
from gradtheory.training.norms import norm
from gradtheory.training.optimisers.optimiser import Optimiser
from gradtheory.training.stability import largest_stable_step

_SMALLEST = 8  # widths up to which singular values are computed in every step
_SMALL = 64  # widths up to which all singular vectors cost little
_ITERATIONS = 30  # of the power method, for wider layers, at the start
_NOISE = 1e-3  # of its vector in each step, so that a direction that was not the largest can become it


class NetworkProblem:
    """The network and the data it is trained on."""

    def __init__(self, network: Network, x: Array, y: Array) -> None:
        self.network, self.x, self.y, self.nodes = network, x, y, network.nodes
        self.slots = slots(self.nodes)
        self.dense = dense_places(self.nodes)
        behind = followers(self.nodes)
        self.followers = [behind.get(place) for place in self.dense]
        self.depth = len(self.dense)
        self.names: Sequence[str] = [self.nodes[place].name for place in self.dense]
        self.layers = [
            [number for number, slot in enumerate(self.slots) if slot.place == place] for place in self.dense
        ]
        self.steepest = steepest_slopes([activation_at(self.nodes, follower) for follower in self.followers])
        in_layers = {number for numbers in self.layers for number in numbers}
        self.others = [number for number in range(len(self.slots)) if number not in in_layers]
        self.turned: list[Array | None] = [None] * self.depth  # near the largest singular vectors
        self.rng = np.random.default_rng(0)

    @property
    def start(self) -> list[Array]:
        """The parameters of the network as it is."""
        return parameters(self.nodes)

    def evaluate(self, parameters: Sequence[Array], rows: Rows) -> Evaluation | NonfiniteValue:
        """Return loss and gradients, or the first value that is not finite."""
        if bad := self._nonfinite(parameters, weight="w", bias="b"):
            return bad
        with np.errstate(all="ignore"):
            passed = forward(with_parameters(self.nodes, parameters), self.x[rows])
            end = ending(self.network.loss, passed, self.y[rows])
            if bad := nonfinite_value(loss=end.loss):
                return bad
            by_all = gradients(self.slots, passed, end)
        if bad := self._nonfinite(by_all, gradient_by_w="w", gradient_by_b="b"):
            return bad
        norms = [_norm([by_all[number] for number in layer]) for layer in self.layers]
        norms += [_norm([by_all[number]]) for number in self.others]
        return Evaluation(end.loss, by_all, self._slopes(passed), self._sizes(parameters), np.array(norms))

    def loss(self, parameters: Sequence[Array], rows: Rows) -> float:
        """Return the loss alone, finite or not."""
        with np.errstate(all="ignore"):
            passed = forward(with_parameters(self.nodes, parameters), self.x[rows])
            return ending(self.network.loss, passed, self.y[rows]).loss

    def shares_exploding(self, parameters: Sequence[Array], sizes: Array, rows: Rows) -> Array:
        """Return the share of samples whose factor exceeds 1, layer by layer."""
        with np.errstate(all="ignore"):
            passed = forward(with_parameters(self.nodes, parameters), self.x[rows])
            steepest = [np.abs(slopes).max(axis=1, initial=0.0) for slopes in self._all_slopes(passed)]
            return np.array([np.mean(each * size > 1.0) for each, size in zip(steepest, sizes, strict=True)])

    def told(self, row: int, size: float, parameters: Sequence[Array]) -> str:
        """Return the weights of a layer in words."""
        return f"‖W‖ = {size:.4g}"

    def weights_and_biases(self, parameters: Sequence[Array]) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        """Return the weights and the biases of the dense layers: zeros where a layer has none."""
        w = tuple(parameters[: self.depth])
        biases = {slot.place: value for slot, value in zip(self.slots, parameters, strict=True) if slot.name == "b"}
        return w, tuple(biases.get(place, np.zeros(len(weight))) for place, weight in zip(self.dense, w, strict=True))

    def moved(self, parameters: Sequence[Array], proximal: Proximal) -> tuple[Array, ...]:
        """Return the parameters after a proximal step on the weights."""
        weights = [read_finite_array(proximal(each), "proximal(w)") for each in parameters[: self.depth]]
        for weight, before in zip(weights, parameters, strict=False):
            if weight.shape != before.shape:
                raise InvalidArgument("proximal(w).shape", weight.shape, f"must be that of the weights, {before.shape}")
        return (*weights, *parameters[self.depth :])

    def limit(self, parameters: Sequence[Array], rows: Rows, optimiser: Optimiser) -> float:
        """Return the largest stable step."""
        return largest_stable_step(self.after(parameters), self.x[rows], self.y[rows], optimiser=optimiser)

    def after(self, parameters: Sequence[Array]) -> Network:
        """Return the network with these parameters."""
        return Network.from_nodes(with_parameters(self.nodes, parameters), self.network.n_inputs, self.network.loss)

    def _nonfinite(self, arrays: Sequence[Array], **names: str) -> NonfiniteValue | None:
        """Return the first layer whose weights, then whose biases, are not finite."""
        for name, which in names.items():
            for place, numbers in enumerate(self.layers, start=1):
                for number in numbers:
                    if self.slots[number].name == which and (bad := nonfinite_value(**{name: arrays[number]})):
                        return NonfiniteValue(bad.kind, name, place)
        for number in self.others:
            if bad := nonfinite_value(norm=arrays[number]):
                return NonfiniteValue(bad.kind, "gain or bias of a norm", None)
        return None

    def _all_slopes(self, passed: Forward) -> list[Array]:
        return [
            np.ones_like(passed.values[place]) if follower is None else passed.kept[follower][1]
            for place, follower in zip(self.dense, self.followers, strict=True)
        ]

    def _slopes(self, passed: Forward) -> Array:
        return np.array(
            [
                1.0 if follower is None else np.abs(passed.kept[follower][1]).max(initial=0.0)
                for follower in self.followers
            ]
        )

    def _sizes(self, parameters: Sequence[Array]) -> Array:
        """Return ‖W‖ of every layer, from below: two steps of the power method from near where it ended before.

        It may take some steps to notice that another direction has become the largest; of the smallest layers all
        singular values are computed.
        """
        with np.errstate(all="ignore"):
            return self._power_method(parameters)

    def _power_method(self, parameters: Sequence[Array]) -> Array:
        sizes = np.empty(self.depth)
        for row in range(self.depth):
            w, vector = parameters[row], self.turned[row]
            if min(w.shape) <= _SMALLEST and np.isfinite(w).all():
                size = float(np.linalg.svd(w, compute_uv=False)[0])
                sizes[row] = size * (1.0 - 2.0**-48 if w.size > 1 else 1.0)
                continue
            if vector is None:
                vector = _turned(w)
            else:
                vector = vector + _NOISE / len(vector) ** 0.5 * self.rng.standard_normal(len(vector))
                vector /= np.linalg.norm(vector)
            below = 1.0 - (4 + len(vector)) * 2.0**-53 if len(vector) > 1 else 1.0  # where rounding adds
            for _ in range(2):
                image = w @ vector
                size = float(np.linalg.norm(image))
                back = w.T @ image
                length = float(np.linalg.norm(back))
                if not (0.0 < length < np.inf):
                    break
                vector = back / length
            sizes[row], self.turned[row] = size * below, vector
        return sizes


def _turned(w: Array) -> Array:
    """Return a vector near the largest right singular one."""
    if min(w.shape) <= _SMALL:
        return np.asarray(np.linalg.svd(w, full_matrices=False)[2][0])
    vector = np.random.default_rng(0).standard_normal(w.shape[1])
    for _ in range(_ITERATIONS):
        vector = w.T @ (w @ vector)
        vector /= np.linalg.norm(vector) or 1.0
    return np.asarray(vector)


def _norm(arrays: Sequence[Array]) -> float:
    """Return the Euclidean norm of arrays together, whose squares may overflow."""
    together = np.concatenate([each.ravel() for each in arrays])
    with np.errstate(all="ignore"):
        size = float(np.linalg.norm(together))
    return size if 1e-150 < size < np.inf else float(norm(together)[0])
