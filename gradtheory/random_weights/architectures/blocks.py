r"""Blocks of wide networks at initialisation: layers, residual connections, norms, dropout and recurrence.

Each maps the stream's variance and covariance, and says by what the gradient's mean square is multiplied on its way
back. All formulas are limits of infinite width, and of many heads; `simulate` of an architecture shows what finite
widths do.

>>> import gradtheory as gt
>>> pre_norm = gt.architecture([residual([rms_norm(), dense("relu", sigma_w=2**0.5)])])
>>> pre_norm.growth.kind, round(pre_norm.growth.rate, 1)
('power law', 1.0)

"""

# Above 300 lines: a function for each block, and more lines of documentation than of code.

from collections.abc import Callable, Sequence

from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.inputs import read_count, read_fan, read_nonnegative_float, read_positive_float
from gradtheory.arithmetic.kinds import read_flag
from gradtheory.errors import InvalidArgument, public
from gradtheory.random_weights.architectures.attention import Attention
from gradtheory.random_weights.architectures.gated import Gated
from gradtheory.random_weights.architectures.layers import BatchNorm, Block, Dense, Norm, Residual, read_blocks
from gradtheory.typing import ActivationLike, NumberLike

__all__ = [
    "Block",
    "attention",
    "batch_norm",
    "dense",
    "dropout",
    "gated_recurrent",
    "layer_norm",
    "recurrent",
    "residual",
    "rms_norm",
]

_IDENTITY = "identity"
_MOST_TOKENS, _MOST_HEADS = 1_000_000, 10_000


public(__name__)


def dense(activation: ActivationLike = _IDENTITY, sigma_w: NumberLike = 1, sigma_b: NumberLike = 0) -> Block:
    r"""Return a layer z' = W·σ(z) + b, with W ~ N(0, σ_w²/width) and b ~ N(0, σ_b²).

    q' = σ_w²·E[σ²] + σ_b²; p' = σ_w²·E[σ(x)σ(y)] + σ_b²; the gradient's mean square times χ = σ_w²·E[σ'²].

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        σ, applied before the weights; "identity" for a linear layer.
    sigma_w, sigma_b : number
        Standard deviations of the weights, times √width, and of the biases.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.

    References
    ----------
    B. Poole et al. (2016); S. Schoenholz et al., "Deep information propagation" (2017).

    """
    return Dense(as_activation(activation), *_scales(sigma_w, sigma_b))


def dropout(
    activation: ActivationLike = _IDENTITY, keep: NumberLike = 0.9, sigma_w: NumberLike = 1, sigma_b: NumberLike = 0
) -> Block:
    r"""Return a layer with dropout: z' = W·(m ∘ σ(z))/keep + b, with independent masks m for every input.

    As `dense`, but q' and χ have E[σ²]/keep and E[σ'²]/keep. Two equal inputs do not stay equal, so that c = 1 is no
    fixed point of the correlation map, and there is no edge of chaos: the depth scale is finite for every σ_w.

    Parameters
    ----------
    activation, sigma_w, sigma_b
        As for `dense`.
    keep : number
        The probability with which a neuron is kept, above 0 and at most 1.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.

    References
    ----------
    S. Schoenholz et al. (2017), section 4.

    """
    kept = read_positive_float(keep, "keep")
    if kept > 1.0:
        raise InvalidArgument("keep", keep, "must be a probability above 0 and at most 1, such as 0.9")
    return Dense(as_activation(activation), *_scales(sigma_w, sigma_b), kept)


def recurrent(
    activation: ActivationLike = "tanh", sigma_w: NumberLike = 1, sigma_b: NumberLike = 0, *, input_size: NumberLike = 0
) -> Block:
    r"""Return a step of a recurrent layer, z' = W·σ(z) + u + b: one W for all steps, and inputs u ~ N(0, input_size²).

    In the limit of large width tied weights act as fresh ones: the maps are those of `dense` with
    σ_b² + input_size² in place of σ_b², and gradients neither grow nor vanish where χ = 1. Not so in a step
    z' = z + W·σ(z) + …, at the end of a `residual`, unless other blocks of the layer have weights on the stream itself:
    z then holds outputs of the same W, which those to come are correlated with, so that variances do not add. Such an
    architecture has `simulate` only.

    Parameters
    ----------
    activation, sigma_w, sigma_b
        As for `dense`.
    input_size : number
        The standard deviation of what the inputs add to z in each step; two sequences are given the same inputs.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.

    References
    ----------
    M. Chen, J. Pennington & S. Schoenholz, "Dynamical isometry and a mean field theory of RNNs" (2018); R. Pascanu,
    T. Mikolov & Y. Bengio, "On the difficulty of training recurrent neural networks" (2013).

    """
    inputs = read_nonnegative_float(input_size, "input_size")
    return Dense(as_activation(activation), *_scales(sigma_w, sigma_b), input_size=inputs, is_tied=True)


def gated_recurrent(
    sigma_w: NumberLike = 1, sigma_b: NumberLike = 0, *, sigma_v: NumberLike = 1, input_size: NumberLike = 1
) -> Block:
    r"""Return a step of a minimal gated layer, h' = u ∘ h + (1 - u) ∘ x, with u = sigmoid(W·h + V·x + b).

    With r = input_size² and the gate's pre-activation N(0, σ_w²q + σ_v²r + σ_b²): q' = (q + r)·E[u²],
    p' = (p + r)·E[u₁u₂], and the gradient's mean square times E[u²] + σ_w²·E[u'²]·(q + r). Since E[u²] < 1, gradients
    vanish for small weights. The formulas take weights that are drawn anew in each step, as does the theory cited: with
    the same weights in all steps gate and state depend on each other, and gradients differ. For LSTM and GRU the maps
    are not closed. Nor are they where batch_norm, or layers that are not linear, take the stream behind the gate, which
    is not Gaussian: such an architecture has `simulate` only.

    Parameters
    ----------
    sigma_w, sigma_v, sigma_b : number
        Standard deviations of the weights of state and input, times √width, and of the biases.
    input_size : number
        √r, the standard deviation of the entries of x, new in each step; two sequences are given the same inputs.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.

    References
    ----------
    M. Chen, J. Pennington & S. Schoenholz, "Dynamical isometry and a mean field theory of RNNs" (2018): the minimalRNN.

    """
    size, bias = _scales(sigma_w, sigma_b)
    inputs = read_nonnegative_float(input_size, "input_size")
    return Gated(size, bias, read_nonnegative_float(sigma_v, "sigma_v"), inputs)


def residual(blocks: Sequence[Block], scale: NumberLike | Callable[[int], float] = 1) -> Block:
    r"""Return a residual connection z' = z + α·f(z) around some blocks.

    q' = q + α²·q_f, p' = p + α²·p_f, and the gradient's mean square times 1 + α²·χ_f: sums, since fresh weights of
    mean 0 stand at the end of f. Those of `recurrent` are not fresh, and mostly do not add: see there.

    Parameters
    ----------
    blocks : sequence of Block
        f; its last block has weights.
    scale : number or callable
        α, or a function of the depth L of the network that returns it, such as ``lambda depth: depth**-0.5``; 0 makes
        the block the identity, as where α is learned from 0 on.

    Raises
    ------
    InvalidArgument
        If f does not end with weights, or α is negative.

    References
    ----------
    G. Yang & S. Schoenholz, "Mean field residual networks: on the edge of chaos" (2017); B. Hanin & D. Rolnick, "How to
    start training: the effect of initialization and architecture" (2018); T. Bachlechner et al., "ReZero is all you
    need: fast convergence at large depth" (2020), for α = 0.

    """
    branch = read_blocks(blocks)
    if not branch[-1].is_mixed:
        raise InvalidArgument("blocks", blocks, "must end with a block that has weights, such as dense('relu')")
    return Residual(branch, scale if callable(scale) else read_nonnegative_float(scale, "scale"))


def layer_norm() -> Block:
    r"""Return LayerNorm at its initial parameters: each input less its mean over the neurons, over its deviation.

    q' = 1, p' = p/q, and the gradient's mean square times 1/q, as for `rms_norm`: over many neurons the mean is 0.

    References
    ----------
    R. Xiong et al., "On layer normalization in the transformer architecture" (2020).

    """
    return Norm(is_centred=True)


def rms_norm() -> Block:
    r"""Return RMSNorm at its initial parameters: each input over its root mean square.

    q' = 1, p' = p/q, and the gradient's mean square times 1/q.

    References
    ----------
    B. Zhang & R. Sennrich, "Root mean square layer normalization" (2019).

    """
    return Norm(is_centred=False)


def batch_norm() -> Block:
    r"""Return BatchNorm at its initial parameters, for a large batch in which any two inputs have covariance p.

    q' = 1, p' = 0, and the gradient's mean square times 1/(q - p). After `dense(σ)` that makes E[σ'²]/Var[σ] per layer,
    whatever σ_w and σ_b. Poincaré's inequality for the Gaussian says that it is at least 1 where σ is continuous, and 1
    for affine σ only: batch normalisation makes gradients explode with depth, and no initialisation stops it. For relu
    it is π/(π - 1). Small batches differ: with four gradients explode faster, and with two the output is ±1, so that
    no gradient comes through.

    References
    ----------
    G. Yang et al., "A mean field theory of batch normalization" (2019), where a linear network with batches of B has
    (B - 2)/(B - 3).

    """
    return BatchNorm()


def attention(
    tokens: int,
    *,
    sigma_q: NumberLike = 1,
    sigma_k: NumberLike = 1,
    sigma_v: NumberLike = 1,
    head_size: int = 64,
    scaled: bool = True,
    heads: int = 1,
) -> Attention:
    r"""Return self-attention z_i' = W_V·Σ_j A_ij·z_j, A_i = softmax_j((W_Q z_i)·(W_K z_j)/√d), over n tokens.

    The weights are N(0, σ²/width); heads with a matrix behind them are alike, with σ_v the product of both scales. What
    `correlation` says is that of two tokens of one sequence, q their variance, p their covariance. A row's logits have
    the variance κ·q·(q - p), κ = σ_q²σ_k², and d times that without the factor 1/√d; what they have in common softmax
    takes away. With P = E[Σ_j A_ij²] and R = E[Σ_j A_ij·A_kj] of two rows, whose logits have correlation p/q,

    q' = σ_v²·(p + (q - p)·P) and p' = σ_v²·(p + (q - p)·R).

    The mean square g of the gradient by a token, and the mean product h of those by two tokens, are mixed:
    g' = σ_v²·[(P + κ·(q - p)·(2q - p)·J)·g + (n - 1)·(R + κ·(q - p)·p·K)·h], with J = E‖∂A_i/∂logits‖² and K the mean
    product of the Jacobians of two rows; and h' = σ_v²/(n - 1)·[1 - P - κ·(q - p)·q·J]·g
    + σ_v²·[1 - R + κ·(q - p)·(q - 2p)·K]·h. At the output h is 0: each token has a loss of its own.

    All of this is a limit of many heads, in which any two tokens keep one covariance. Behind one head, however wide,
    covariances are random: from the second layer on, variances differ from q', by up to a fifth, and in h heads by 1/h
    of that. Behind residual connections it is little.

    Without residual connections all tokens become one another (rank collapse), more and more quickly.

    Parameters
    ----------
    tokens : int
        n, at least 2.
    sigma_q, sigma_k, sigma_v : number
        Standard deviations of the weights of queries, keys and values, times √width.
    head_size : int
        d, the number of queries and keys of a token.
    scaled : bool
        Whether logits are divided by √d.
    heads : int
        How many `simulate` draws.

    Returns
    -------
    Attention
        `.softmax(variance, correlation)` gives the entropy of its rows, their Jacobian, and whether they are saturated.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.

    References
    ----------
    L. Noci et al., "Signal propagation in transformers: theoretical perspectives and the role of rank collapse" (2022),
    for uniform attention, σ_q → 0; Y. Dong, J.-B. Cordonnier & A. Loukas, "Attention is not all you need: pure
    attention loses rank doubly exponentially with depth" (2021).

    Examples
    --------
    >>> attention(1024, head_size=256).softmax().is_saturated, attention(1024, head_size=256, scaled=False).softmax()
    (False, entropy 0.38547 of 6.93147, participation 0.7978, Jacobian 0.05504: saturated (numeric))

    """
    many = read_count(tokens, "tokens", _MOST_TOKENS, least=2)
    scales = (read_nonnegative_float(sigma_q, "sigma_q"), read_nonnegative_float(sigma_k, "sigma_k"))
    size, head = read_positive_float(sigma_v, "sigma_v"), read_fan(head_size, "head_size")
    count = read_count(heads, "heads", _MOST_HEADS)
    return Attention(many, *scales, size, head, read_flag(scaled, "scaled"), count)


def _scales(sigma_w: NumberLike, sigma_b: NumberLike) -> tuple[float, float]:
    return read_positive_float(sigma_w, "sigma_w"), read_nonnegative_float(sigma_b, "sigma_b")
