"""What a network's methods return: gradients, and a bound of the Jacobian that holds at every input."""

from dataclasses import dataclass

from gradtheory.arithmetic.brief import ShownAsTable, shape_and_range, upward
from gradtheory.arithmetic.inputs import Array
from gradtheory.chains.batches import table_of_sizes


@dataclass(frozen=True, eq=False)
class NetworkGradients(ShownAsTable):
    """Loss and gradients of a network, over the whole batch.

    Attributes
    ----------
    loss : float
    w : tuple of ndarray
        ∂C/∂W_l of each dense layer, of shapes (n_l, n_{l-1}).
    b : tuple of ndarray
        ∂C/∂b_l, of shapes (n_l,); for a layer without a bias what it would be.
    x : ndarray of shape (batch, n_0)
        ∂C/∂x, sample by sample.
    norms : tuple of pairs of ndarray
        ∂C/∂gain and ∂C/∂bias of each norm.

    """

    loss: float
    w: tuple[Array, ...]
    b: tuple[Array, ...]
    x: Array
    norms: tuple[tuple[Array, Array], ...] = ()

    def __repr__(self) -> str:
        return table_of_sizes(self.loss, self.w, self.b, self.x)


@dataclass(frozen=True, eq=False)
class JacobianBound(ShownAsTable):
    r"""An upper bound of \|∂a_L/∂a_0\|, at any input and for any biases; `float` gives it.

    Attributes
    ----------
    spectral_norms : ndarray of shape (L,)
        ‖W_l‖, the greatest singular values.
    steepest_slopes : ndarray of shape (L,)
        sup|σ_l'|.
    bound : float
        Π ‖W_l‖·sup|σ_l'|, rounded up: the norms are numeric, and their rounding errors are outweighed.

    """

    spectral_norms: Array
    steepest_slopes: Array
    bound: float

    def __float__(self) -> float:
        return self.bound

    def __repr__(self) -> str:
        norms, slopes = shape_and_range(self.spectral_norms), shape_and_range(self.steepest_slopes)
        return f"JacobianBound({upward(self.bound)}: spectral norms {norms}, steepest slopes {slopes})"
