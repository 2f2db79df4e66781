"""Values and slopes of the catalogue against PyTorch, JAX and Keras, in float64 for z from -1000 to 1000."""

import os

import numpy as np
import pytest

import gradtheory as gt
from tests.peers.named import named, paths

os.environ["KERAS_BACKEND"] = "jax"
_REASON = "`make test-peers` installs it and runs this"
torch = pytest.importorskip("torch", reason=_REASON)
jax = pytest.importorskip("jax", reason=_REASON)
keras = pytest.importorskip("keras", reason=_REASON)
jax.config.update("jax_enable_x64", True)
keras.config.set_floatx("float64")

_SMALL = np.logspace(-8, 3, 400)
_POINTS = np.unique(np.concatenate([np.linspace(-1e3, 1e3, 2001), _SMALL, -_SMALL]))
_EPS = np.finfo(float).eps

# What is not element-wise, or is no function of z alone.
_EXCLUDED = {
    "torch": {"glu", "multiheadattention", "prelu", "softmin", "softmax", "softmax2d", "logsoftmax"},
    "jax": {"glu", "softmax", "log_softmax", "standardize", "logsumexp", "logmeanexp", "one_hot", "initializers"}
    | {"dot_product_attention", "scaled_matmul", "scaled_dot_general", "get_scaled_dot_general_config"}
    | {"log1mexp", "hard_silu"},  # hard_silu is another name of hard_swish; log1mexp is not real for all z
    "keras": {"glu", "softmax", "log_softmax", "sparsemax", "deserialize", "serialize", "get", "hard_silu"},
}


# What is less accurate than float64 in another library.
_LESS_ACCURATE = {
    ("softplus", "torch"): 3e-9,  # it is z itself for z > 20
    ("hard_sigmoid", "torch"): 1e-8,  # its slope is 1/6 in float32
    **{(name, "keras"): 1e-6 for name in ("arctan", "arsinh", "cosine", "sine", "tanh")},  # computed in float32
}


def beside_kinks(record):
    kinks = np.array([float(kink) for kink in record.kinks])
    return (abs(_POINTS[:, None] - kinks) > 1e-6).all(axis=1)


def of_torch(text):
    z = torch.tensor(_POINTS, requires_grad=True)
    value = named(text)(z)
    value.sum().backward()
    return value.detach().numpy(), z.grad.numpy()


def of_jax(text):
    function = named(text)
    z = jax.numpy.asarray(_POINTS)
    return np.asarray(function(z)), np.asarray(jax.vmap(jax.grad(function))(z))


_LIBRARIES = {"torch": of_torch, "jax": of_jax, "keras": of_jax}


_PAIRS = [
    (name, library) for name in gt.activation_names() for library in gt.activation(name).peers if library in _LIBRARIES
]


@pytest.mark.parametrize(("which", "library"), _PAIRS)
def test_values_and_slopes(which, library):
    record = gt.activation(which)
    value, slope = _LIBRARIES[library](record.peers[library])
    points = np.ones(len(_POINTS), bool) if library == "torch" else beside_kinks(record)
    least = _LESS_ACCURATE.get((which, library), 16 * _EPS)
    scale = least * (1 + abs(_POINTS))  # theirs may cancel in the tails, as 1 + erf(z) does
    for ours, theirs in ((record.value(_POINTS), value), (record.slope(_POINTS), slope)):
        with np.errstate(invalid="ignore"):
            wrong = points & ~((abs(ours - theirs) <= scale + 1e-12 * abs(theirs)) | (ours == theirs))
        assert not wrong.any(), list(zip(_POINTS[wrong], ours[wrong], theirs[wrong], strict=True))[:5]


def plain(names):
    return {each.replace("_", "").lower() for each in names}


@pytest.mark.parametrize("library", _LIBRARIES)
def test_no_activation_is_missing(library):
    if library == "torch":
        theirs = plain(torch.nn.modules.activation.__all__)
    else:
        module = jax.nn if library == "jax" else keras.activations
        theirs = {each for each in dir(module) if not each.startswith("_")}
        theirs = plain(each for each in theirs if callable(getattr(module, each)))
    ours = plain(path.rpartition(".")[2] for path in paths(library))
    missing = theirs - ours - plain(_EXCLUDED[library])
    assert not missing
