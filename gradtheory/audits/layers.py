"""What an audit measures of one layer, and what theory says of a layer with such weights."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from gradtheory.activations import Activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.inputs import Array
from gradtheory.random_weights.precision import GradientSizes

NAN = math.nan
COMPOSITE = " with parts"  # in the kind of a block
DIVIDED = " divided by the spread of its batch"  # likewise
INNER = " in a branch of "  # likewise: something goes around it
NORMED = " divided by its own spread"  # likewise: the scale of weights before is gone
POOLS = ("AvgPool", "AdaptiveAvgPool")  # in the names of steps of autograd and of torch's modules
PEERS = 4  # with fewer beside it, nothing is usual, and nothing stands out
MUCH = 3.0  # times as large as usual
MADE_ALIKE = 3  # of numbers that a scheme gives, not chance, so few tell what is usual


@dataclass(frozen=True, eq=False)
class AuditedLayer(ShownAsTable):
    """One layer of an audit; what cannot be known of it is nan or None.

    Attributes
    ----------
    name : str
        As the torch module, the ONNX node or "layer1".
    kind : str
        Such as "dense, tanh", or the class of a torch module.
    gain : float
        By which the gradient grows on its way back through the layer: the norm of the gradients by its inputs over
        that by its outputs, all samples together. Measured only, by what the parts before gave, as far as it comes
        back through this one; in a residual branch by all of it. Products of gains are what explodes or vanishes.
    block_gain : float
        The same for the part of the network that the layer belongs to, between two places that every path passes: with
        residual connections that is what counts.
    slope_gain, weight_gain : float
        `gain` as a product: the root mean square of σ' as the gradient meets it, and what the weights make of the rest.
    largest_singular_value : float
        Of the layer's factor diag(σ'(z))·W at the sample where it is greatest of those looked at; measured only, of the
        Jacobian of what the part gives by what the part before gives, over the whole batch.
    singular_value_error : float
        The residual norm that Lanczos' method ended with: some singular value lies so near.
    share_above_1 : float
        Of the samples, the share on which the layer makes the gradient larger.
    mean_square_z, mean_square_a : float
        Of the pre-activations and of the activations.
    saturated, dead : float
        Shares of units: those whose slope is below 1 % of the steepest on more than 99 % of the samples, none where
        slopes have no bound, or at the end where the loss divides by them, as cross entropy does; and those whose slope
        is 0 on all samples; measured only, those whose output is the same for all.
    gradient_norm : float
        Of the loss by the layer's weights and bias.
    sigma_w, sigma_b : float
        Read off the weights: √(n_in·mean w²), and the root mean square of the bias.
    predicted_gain : float
        √χ, χ = σ_w²·E[σ'(z)²] for Gaussian z of the measured mean square.
    spread : float
        The standard deviation of log(gain) that random weights of these widths have.
    verdict : str
        "steady", "grows", "fades", "saturated", "dead" or "not finite". A layer grows or fades only if it stands out,
        or if the gradient leaves its range over many layers.
    cause : str
        Why, in words; of a steady layer what is unusual of its weights, while the gradient stays in range.
    is_measured_only : bool
        Whether nothing but measurements is known of it.
    is_finite, is_gradient_finite : bool
        Whether its pre-activations are, and the gradients by its inputs and by its parameters.
    fans : pair of int
        n_in and n_out of a dense layer.
    activation : Activation or None
        That after the layer.
    gradient_sizes : GradientSizes or None
        How large the entries of the gradients by its weights and bias are, and the greatest of those by z.
    singular_values : ndarray or None
        All of the factor at the sample with the largest gradient; None for layers wider than 256.

    """

    name: str
    kind: str
    gain: float
    block_gain: float = NAN
    slope_gain: float = NAN
    weight_gain: float = NAN
    largest_singular_value: float = NAN
    singular_value_error: float = NAN
    share_above_1: float = NAN
    mean_square_z: float = NAN
    mean_square_a: float = NAN
    saturated: float = NAN
    dead: float = NAN
    gradient_norm: float = NAN
    sigma_w: float = NAN
    sigma_b: float = NAN
    predicted_gain: float = NAN
    spread: float = NAN
    verdict: str = "steady"
    cause: str = ""
    is_measured_only: bool = False
    is_finite: bool = True
    is_gradient_finite: bool = True
    fans: tuple[int, int] = field(default=(0, 0), repr=False)
    activation: Activation | None = field(default=None, repr=False)
    gradient_sizes: GradientSizes | None = field(default=None, repr=False, compare=False)
    singular_values: Array | None = field(default=None, repr=False, compare=False)

    @property
    def described(self) -> str:
        """Its kind, and whether it was measured only."""
        return f"{self.kind}, measured only" if self.is_measured_only else self.kind

    @property
    def agrees(self) -> bool | None:
        """Whether the gain is within four spreads of the predicted one; None where nothing is predicted."""
        if not (self.gain > 0.0 and self.predicted_gain > 0.0 and self.spread > 0.0):
            return None
        return abs(math.log(self.gain / self.predicted_gain)) <= 4.0 * self.spread

    def __repr__(self) -> str:
        return f"AuditedLayer({self.name!r}, {self.kind}: gain {self.gain:.3g}, {self.verdict})"


@dataclass(frozen=True)
class AuditedBlock:
    """A part of a network between two places that every path from the input to the loss passes.

    Attributes
    ----------
    name : str
        What its layers' names have in common.
    gain : float
        By which the gradient grows through it: of a part of a measured module by what the part itself sends back.
    of_all : float or None
        Of such a part, where it is not the same: by all of the gradient that comes to the part before, whatever goes
        around it. In a branch products of these tell how the gradient goes on.
    spread : float
        The standard deviation of log(gain) that random weights have.
    layers : tuple of int
        Its layers, as places in the audit's list.
    kind : str
        What it consists of: blocks of one kind are peers.
    shortcut : float
        What its residual connection multiplies by, behind a norm beside what is usual there; nan where there is none.
    least_spread : float
        What of `spread` comes from the widths alone.
    took : float
        The root mean square of what a part of a measured module took.
    path : int
        0 on the way from the loss back through the last that each part of a measured module is made of; another number
        on each branch beside it.
    is_inner : bool
        Whether something of what came before goes around it.
    whole : float
        The gain of the branch beside the stream that it belongs to; nan where it is in none, or that does not count.
    lets_pass : float
        Which share of the gradient's size norms let pass, as the rest lies along what they give, beside that of a
        random gradient: a block is judged by what it would do to that.
    members : tuple of str
        The names of several that are taken together, as those of a branch.
    expected : float
        By which theory has the gradient grow through it, if it is one layer; nan where nothing is predicted.

    """

    name: str
    gain: float
    spread: float
    layers: tuple[int, ...]
    kind: str = ""
    shortcut: float = NAN
    expected: float = NAN
    least_spread: float = 0.0
    took: float = NAN
    path: int = 0
    is_inner: bool = False
    whole: float = NAN
    lets_pass: float = 1.0
    of_all: float | None = None
    members: tuple[str, ...] = ()

    @property
    def in_branch(self) -> float:
        """The gain of which products over a branch tell how the gradient goes on."""
        return self.gain if self.of_all is None else self.of_all


class OutOfScale(NamedTuple):
    """Weights that are far larger than those of peers, or gains of a norm that are far smaller.

    Attributes
    ----------
    times : float
        How many times as large.
    parameter : str
        Their name within the part.
    step : float
        Their gradient relative to their size, beside that of peers: nan where there is none.
    is_free : bool
        Whether a norm divides them away, so that the loss does not know their scale.

    """

    times: float
    parameter: str
    step: float = NAN
    is_free: bool = False

    @property
    def cause(self) -> str:
        """What they are, in words."""
        return f"its {self.parameter} is {self.times:.3g} times as large as that of its peers"

    @property
    def remark(self) -> str:
        """What they do where a norm divides them away: they hardly move, and no other gradient changes by them."""
        if not 0.0 < self.step < 1.0 / MUCH:
            return self.cause
        slow = f"a step of gradient descent changes it {1.0 / self.step:.3g} times less, relative to its size"
        return f"{self.cause}, and {slow}"


def module_of(name: str) -> str:
    """Return the name of a module without the number of its call."""
    return name.partition("#")[0] or name


def is_pooling(kind: str) -> bool:
    """Return whether a row of this kind is a reduction without weights."""
    return kind.startswith(("mean of ", "sum of ", *POOLS))
