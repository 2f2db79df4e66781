"""A chain with its samples, as a problem to train: the parameters are w and b, of shape (L,)."""

from collections.abc import Sequence

import numpy as np

from gradtheory.arithmetic.inputs import Array, read_parameters
from gradtheory.chains.backprop import backprop_and_slopes, factors
from gradtheory.chains.chain import Chain
from gradtheory.chains.layers import steepest_slopes
from gradtheory.training.batches import Rows
from gradtheory.training.engine import Evaluation, Proximal
from gradtheory.training.events import NonfiniteValue, nonfinite_value
from gradtheory.training.optimisers.optimiser import Optimiser
from gradtheory.training.stability import largest_stable_step


class ChainProblem:
    """The chain and the samples it is trained on."""

    names: Sequence[str] = ()

    def __init__(self, chain: Chain, x: Array, y: Array) -> None:
        self.x, self.y, self.chain, self.activations = x, y, chain, chain.layer_activations
        self.depth = len(self.activations)
        self.steepest = steepest_slopes(self.activations)

    def evaluate(self, parameters: Sequence[Array], rows: Rows) -> Evaluation | NonfiniteValue:
        """Return loss and gradients, or the first value that is not finite."""
        w, b = parameters
        if bad := nonfinite_value(weight=w, bias=b):
            return bad
        x, y = self.x[rows], self.y[rows]
        gradients, slopes = backprop_and_slopes(self.activations, self.chain.loss_record, x, y, w, b)
        if bad := nonfinite_value(loss=gradients.loss, gradient_by_w=gradients.w, gradient_by_b=gradients.b):
            return bad
        sizes, norms = np.abs(w), np.hypot(gradients.w, gradients.b)
        return Evaluation(float(gradients.loss), [gradients.w, gradients.b], slopes, sizes, norms)

    def loss(self, parameters: Sequence[Array], rows: Rows) -> float:
        """Return the loss alone, finite or not."""
        x, y = self.x[rows], self.y[rows]
        return float(backprop_and_slopes(self.activations, self.chain.loss_record, x, y, *parameters)[0].loss)

    def shares_exploding(self, parameters: Sequence[Array], sizes: Array, rows: Rows) -> Array:
        """Return the share of samples whose factor exceeds 1, layer by layer."""
        return np.asarray(np.mean(np.abs(factors(self.activations, self.x[rows], *parameters)) > 1.0, axis=1))

    def told(self, row: int, size: float, parameters: Sequence[Array]) -> str:
        """Return the weight of a layer in words."""
        return f"w = {parameters[0][row]:.4g}"

    def weights_and_biases(self, parameters: Sequence[Array]) -> tuple[Array, Array]:
        """Return w and b."""
        w, b = parameters
        return w, b

    def moved(self, parameters: Sequence[Array], proximal: Proximal) -> tuple[Array, ...]:
        """Return the parameters after a proximal step on the weights."""
        w, b = parameters
        return read_parameters(proximal(w), "proximal(w)", self.depth), b

    def limit(self, parameters: Sequence[Array], rows: Rows, optimiser: Optimiser) -> float:
        """Return the largest stable step."""
        return largest_stable_step(self.chain, self.x[rows], self.y[rows], *parameters, optimiser=optimiser)
