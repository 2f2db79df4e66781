"""The usual schemes for initial weights, as distributions: their scale, their probabilities, and samples of them.

>>> glorot(300, 100, shape="uniform").bound
sqrt(6)/20

"""
# Above 300 lines: a function for each scheme, and more lines of documentation than of code.

from dataclasses import dataclass

import numpy as np
import sympy

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.inputs import Array, read_fan, read_positive, read_real, read_seed
from gradtheory.errors import InvalidArgument, public
from gradtheory.typing import NumberLike

__all__ = [
    "Initialisation",
    "constant",
    "glorot",
    "he",
    "lecun",
    "orthogonal",
    "pytorch_default",
    "standard_normal",
]


public(__name__)


@dataclass(frozen=True)
class Initialisation(ShownAsTable):
    """The law of the weights of one layer, of shape (fan_out, fan_in).

    Parameters
    ----------
    name : str
    shape : {"normal", "uniform", "orthogonal", "constant"}
        How one weight is distributed; the weights are independent unless they are orthogonal.
    scale : sympy.Expr
        √E[w²] of one weight.
    fan_in, fan_out : int
        Inputs and outputs of the layer.

    Examples
    --------
    >>> layer = he(fan_in=512)
    >>> layer.scale, layer.sigma_w
    (1/16, sqrt(2))
    >>> standard_normal(1).probability(1).n(10)
    0.6826894921

    """

    name: str
    shape: str
    scale: sympy.Expr
    fan_in: int
    fan_out: int

    @property
    def sigma_w(self) -> sympy.Expr:
        """σ_w = √(fan_in·E[w²]), the scale that the mean-field limit of wide layers takes."""
        return sympy.sqrt(self.fan_in) * self.scale

    @property
    def bound(self) -> sympy.Expr:
        """The greatest possible |w|."""
        if self.shape == "normal":
            return sympy.oo
        if self.shape == "orthogonal":
            return self.scale * sympy.sqrt(max(self.fan_in, self.fan_out))
        return self.scale * (sympy.sqrt(3) if self.shape == "uniform" else 1)

    def probability(self, below: NumberLike) -> sympy.Expr:
        r"""Return P(|w| < c) for one weight, exactly.

        erf(c/(s·√2)) for a normal weight of scale s; c/(s·√3) for a uniform one; the regularised incomplete beta
        function I(c²/(n·s²); 1/2, (n - 1)/2) with n = max(fan_in, fan_out) for an entry of an orthogonal matrix.

        Parameters
        ----------
        below : number
            c, positive.

        Raises
        ------
        InvalidArgument
            If c is not a positive number.

        """
        size = read_positive(below, "below")
        if self.shape == "normal":
            return sympy.erf(size / (sympy.sqrt(2) * self.scale))
        entries = max(self.fan_in, self.fan_out)
        if self.shape == "constant" or (self.shape == "orthogonal" and entries == 1):  # a 1 × 1 matrix is ±1
            return sympy.Integer(1 if self.bound < size else 0)
        if size >= self.bound:
            return sympy.S.One
        if self.shape == "uniform":
            return size / self.bound
        half = sympy.Rational(1, 2)
        return sympy.betainc_regularized(half, half * (entries - 1), 0, (size / self.bound) ** 2)

    def sample(self, seed: int | np.random.Generator = 0) -> Array:
        """Return a weight matrix of shape (fan_out, fan_in) in float64: the same seed gives the same matrix."""
        rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(read_seed(seed))
        size, scale = (self.fan_out, self.fan_in), float(self.scale)
        if self.shape == "normal":
            return rng.normal(0.0, scale, size)
        if self.shape == "uniform":
            return rng.uniform(-float(self.bound), float(self.bound), size)
        if self.shape == "constant":
            return np.full(size, scale)
        return float(self.bound) * _orthogonal(rng, *size)


def _orthogonal(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """Return a uniformly distributed matrix with orthonormal rows or columns, whichever are fewer.

    F. Mezzadri, "How to generate random matrices from the classical compact groups", Notices AMS 54 (2007).
    """
    tall = rng.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q *= np.sign(np.diagonal(r))
    return np.asarray(q if rows >= columns else q.T)


def standard_normal(fan_in: int, fan_out: int | None = None, *, sigma: NumberLike = 1) -> Initialisation:
    """Return weights N(0, σ²), whatever fan_in and fan_out are: the article's choice, with σ = 1.

    Parameters
    ----------
    fan_in, fan_out : int
        Inputs and outputs; fan_out is fan_in unless given.
    sigma : number
        σ, positive.

    Returns
    -------
    Initialisation
        The law of one layer's weights.

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    Examples
    --------
    >>> standard_normal(50, sigma=2).scale
    2

    """
    return _of("standard_normal", "normal", read_positive(sigma, "sigma"), fan_in, fan_out)


def lecun(fan_in: int, fan_out: int | None = None, *, shape: str = "normal") -> Initialisation:
    """Return weights of variance 1/fan_in (LeCun et al., "Efficient BackProp", 1998, equation 16).

    Parameters
    ----------
    fan_in, fan_out : int
        Inputs and outputs; fan_out is fan_in unless given.
    shape : {"normal", "uniform"}
        How one weight is distributed.

    Returns
    -------
    Initialisation
        The law of one layer's weights.

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    Examples
    --------
    >>> lecun(100).scale
    1/10

    """
    return _of("lecun", _either(shape), 1 / sympy.sqrt(read_fan(fan_in, "fan_in")), fan_in, fan_out)


def glorot(fan_in: int, fan_out: int | None = None, *, gain: NumberLike = 1, shape: str = "normal") -> Initialisation:
    """Return weights of variance gain²·2/(fan_in + fan_out) (Glorot & Bengio, AISTATS 2010, equations 12 and 16).

    Parameters
    ----------
    fan_in, fan_out : int
        Inputs and outputs; fan_out is fan_in unless given.
    gain : number
        What multiplies the standard deviation, positive.
    shape : {"normal", "uniform"}
        How one weight is distributed.

    Returns
    -------
    Initialisation
        The law of one layer's weights.

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    Examples
    --------
    >>> glorot(50, 150).scale
    1/10

    """
    inputs = read_fan(fan_in, "fan_in")
    both = inputs + (inputs if fan_out is None else read_fan(fan_out, "fan_out"))
    scale = read_positive(gain, "gain") * sympy.sqrt(sympy.Rational(2, both))
    return _of("glorot", _either(shape), scale, fan_in, fan_out)


def he(
    fan_in: int,
    fan_out: int | None = None,
    *,
    gain: NumberLike | None = None,
    mode: str = "fan_in",
    shape: str = "normal",
) -> Initialisation:
    """Return weights of variance gain²/fan (He et al., ICCV 2015, equations 10 and 14).

    Parameters
    ----------
    fan_in, fan_out : int
        Inputs and outputs; fan_out is fan_in unless given.
    gain : number, optional
        √2, the gain of relu, unless given.
    mode : {"fan_in", "fan_out"}
        Whether activations or gradients keep their scale.
    shape : {"normal", "uniform"}
        How one weight is distributed.

    Returns
    -------
    Initialisation
        The law of one layer's weights.

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    Examples
    --------
    >>> he(50, 100, mode="fan_out", shape="uniform").bound
    sqrt(6)/10

    """
    inputs = read_fan(fan_in, "fan_in")
    outputs = inputs if fan_out is None else read_fan(fan_out, "fan_out")
    chosen = inputs if one_of(mode, "mode", ("fan_in", "fan_out")) == "fan_in" else outputs
    size = sympy.sqrt(2) if gain is None else read_positive(gain, "gain")
    return _of("he", _either(shape), size / sympy.sqrt(chosen), fan_in, fan_out)


def orthogonal(fan_in: int, fan_out: int | None = None, *, gain: NumberLike = 1) -> Initialisation:
    """Return gain times a matrix with orthonormal rows or columns (Saxe, McClelland & Ganguli, ICLR 2014).

    One entry has E[w²] = gain²/max(fan_in, fan_out).

    Parameters
    ----------
    fan_in, fan_out : int
        Inputs and outputs; fan_out is fan_in unless given.
    gain : number
        What multiplies the standard deviation, positive.

    Returns
    -------
    Initialisation
        The law of one layer's weights.

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    Examples
    --------
    >>> orthogonal(4, 16).scale
    1/4

    """
    inputs = read_fan(fan_in, "fan_in")
    larger = max(inputs, inputs if fan_out is None else read_fan(fan_out, "fan_out"))
    return _of("orthogonal", "orthogonal", read_positive(gain, "gain") / sympy.sqrt(larger), fan_in, fan_out)


def constant(fan_in: int, fan_out: int | None = None, *, value: NumberLike = 1) -> Initialisation:
    """Return weights that all equal one positive number: every neuron of a layer then learns the same.

    Parameters
    ----------
    fan_in, fan_out : int
        Inputs and outputs; fan_out is fan_in unless given.
    value : number
        The weight, positive.

    Returns
    -------
    Initialisation
        The law of one layer's weights.

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    Examples
    --------
    >>> constant(3, value="1/2").scale
    1/2

    """
    number = read_real(value, "value")
    if number.is_positive is not True:
        raise InvalidArgument("value", value, "must be positive, such as 1; signs do not change sizes")
    return _of("constant", "constant", number, fan_in, fan_out)


def pytorch_default(fan_in: int, fan_out: int | None = None) -> Initialisation:
    """Return the default of torch.nn.Linear: uniform on ±1/√fan_in, by `torch.nn.init.kaiming_uniform_` with a = √5.

    The gain √(2/(1 + a²)) is 1/√3, so that σ_w = 1/√3.

    Parameters
    ----------
    fan_in, fan_out : int
        Inputs and outputs; fan_out is fan_in unless given.

    Returns
    -------
    Initialisation
        The law of one layer's weights.

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    Examples
    --------
    >>> pytorch_default(100).bound
    1/10

    """
    scale = 1 / sympy.sqrt(3 * read_fan(fan_in, "fan_in"))
    return _of("pytorch_default", "uniform", scale, fan_in, fan_out)


def _either(shape: str) -> str:
    return one_of(shape, "shape", ("normal", "uniform"))


def _of(name: str, shape: str, scale: sympy.Expr, fan_in: int, fan_out: int | None) -> Initialisation:
    inputs = read_fan(fan_in, "fan_in")
    return Initialisation(name, shape, scale, inputs, inputs if fan_out is None else read_fan(fan_out, "fan_out"))
