"""Who finds the planted bugs: `torch.autograd.gradcheck` and `jax.test_util.check_grads` beside gradtheory's oracle."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.testing.planted import ACTIVATIONS, BUGS, right

_REASON = "`make test-peers` installs it and runs this"
torch = pytest.importorskip("torch", reason=_REASON)
jax = pytest.importorskip("jax", reason=_REASON)
gradcheck = pytest.importorskip("torch.autograd.gradcheck", reason=_REASON)  # the module, not its function
check_grads = pytest.importorskip("jax.test_util", reason=_REASON).check_grads
jax.config.update("jax_enable_x64", True)

_PAGE = Path(__file__).parents[2] / "docs" / "oracle.md"
_BATCH, _DEPTH, _WIDTHS = 4, 3, (3, 4, 4, 2)


def typical(wide, seed=0):
    """Return y, and x, w and b side by side: normal numbers, and targets between 0 and 1."""
    rng = np.random.default_rng(seed)
    widths = _WIDTHS if wide else (1,) * (_DEPTH + 1)
    x, y = rng.standard_normal((_BATCH, widths[0])), rng.random((_BATCH, widths[-1]))
    w = [rng.standard_normal(shape) for shape in zip(widths[1:], widths[:-1], strict=True)]
    b = [rng.standard_normal(width) for width in widths[1:]]
    return (y, [x, *w, *b]) if wide else (y.ravel(), [x.ravel(), np.ravel(w), np.ravel(b)])


def run(implementation, y, inputs):
    """Return the loss, and the gradients in the order of the inputs."""
    x, *parameters = (np.asarray(each) for each in inputs)
    half = len(parameters) // 2
    w, b = (parameters[0], parameters[1]) if half == 1 else (parameters[:half], parameters[half:])
    gradients = implementation(x, y, w, b)
    by = (
        [gradients["x"], gradients["w"], gradients["b"]]
        if half == 1
        else [gradients["x"], *gradients["w"], *gradients["b"]]
    )
    return np.asarray(gradients["loss"], float), [np.asarray(each, float) for each in by]


class Planted(torch.autograd.Function):
    """The implementation's loss, with the implementation's gradient."""

    @staticmethod
    def forward(ctx, compute, *inputs):
        loss, gradients = compute([each.detach().numpy() for each in inputs])
        ctx.save_for_backward(*map(torch.tensor, gradients))
        return torch.tensor(loss)

    @staticmethod
    def backward(ctx, outer):
        return None, *(outer * each for each in ctx.saved_tensors)


def passes_gradcheck(implementation, y, inputs):
    tensors = [torch.tensor(each, requires_grad=True) for each in inputs]
    try:
        return gradcheck.gradcheck(partial(Planted.apply, partial(run, implementation, y)), tensors)
    except (gradcheck.GradcheckError, ValueError):
        return False


def passes_check_grads(implementation, y, inputs):
    """The same in JAX."""
    shapes = [jax.ShapeDtypeStruct(np.shape(each), float) for each in inputs]

    @jax.custom_vjp
    def loss(*inputs):
        return jax.pure_callback(
            lambda *each: run(implementation, y, each)[0], jax.ShapeDtypeStruct((), float), *inputs
        )

    def backward(inputs, outer):
        gradients = jax.pure_callback(lambda *each: run(implementation, y, each)[1], shapes, *inputs)
        return tuple(outer * each for each in gradients)

    loss.defvjp(lambda *inputs: (loss(*inputs), inputs), backward)
    try:
        check_grads(loss, tuple(map(jax.numpy.asarray, inputs)), order=1, modes=["rev"])
    except (AssertionError, jax.errors.JaxRuntimeError):
        return False
    return True


_PEERS = passes_gradcheck, passes_check_grads


def verdicts(seed=0):
    """Return who finds which bug on a typical input."""
    return [[not passes(bug.implementation, *typical(bug.wide, seed)) for passes in _PEERS] for bug in BUGS]


def rows(table):
    yield "| planted bug | gradtheory | gradcheck | check_grads |"
    yield "|---|---|---|---|"
    for bug, finds in zip(BUGS, table, strict=True):
        cells = bug.description.replace("|", r"\|"), "yes", *("yes" if is_found else "no" for is_found in finds)
        yield f"| {' | '.join(cells)} |"
    counts = len(table), *np.sum(table, axis=0)
    yield f"| **found, of {len(table)}** | {' | '.join(f'**{number}**' for number in counts)} |"


@pytest.mark.parametrize("passes", _PEERS)
@pytest.mark.parametrize("wide", [False, True], ids=["chain", "network"])
@pytest.mark.parametrize(
    ("activation", "loss"), [*((name, "squared") for name in ACTIVATIONS), ("sigmoid", "cross_entropy")]
)
def test_the_right_implementation_passes(activation, loss, wide, passes):
    assert passes(right(activation, loss, wide=wide), *typical(wide))


def test_the_table_in_docs_is_what_was_measured():
    table = "\n".join(rows(verdicts()))
    assert table in _PAGE.read_text(encoding="utf-8"), f"it should be:\n{table}"


@pytest.mark.parametrize("seed", [1, 2])
def test_other_inputs_change_the_counts_little(seed):
    gradcheck_finds, check_grads_finds = np.sum(verdicts(seed), axis=0)
    assert 25 <= gradcheck_finds <= 26
    assert 22 <= check_grads_finds <= 24
    assert "25 to 26 by gradcheck and 22 to 24 by check_grads" in " ".join(_PAGE.read_text(encoding="utf-8").split())


def test_on_a_kink_both_refuse_the_convention_and_gradcheck_passes_the_mean_of_both_slopes():
    at_kink = np.array([1.0]), [np.array([0.0]), np.array([1.0, 2.0]), np.array([0.0, 0.5])]  # z_1 = 0
    half = next(bug.implementation for bug in BUGS if bug.id == "relu_kink_half")
    assert not any(passes(right("relu"), *at_kink) for passes in _PEERS)
    assert passes_gradcheck(half, *at_kink)


@pytest.mark.parametrize("passes", _PEERS)
def test_a_gradient_below_their_tolerance_may_be_anything(passes):
    y, one, saturated = np.array([1.0]), np.array([1.0]), np.array([10.5])  # z = 11.5, where the slope is 1e-5
    tail = next(bug.implementation for bug in BUGS if bug.id == "vanishing_tail")
    assert tail(one, y, one, saturated)["w"] == 0.0
    assert passes(tail, y, [one, one, saturated])
