"""Wrong types everywhere: each public function is called with each wrong value in each argument, the others valid.

    python -m tests.wrong_types [NAME ...]

A call may return, or raise a member of gradtheory's family of errors with a message of one line; the oracles may also
judge a function wrong. Anything else is a fault. NAME keeps the functions that contain it. Printed are the counts, the
slowest calls and the faults.
"""

import contextlib
import functools
import inspect
import math
import os
import random
import signal
import sys
import tempfile
import time
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import sympy

import gradtheory as gt

mpl.use("agg")

_LONGEST = 20  # seconds of work, after which a call is given up
_Z = sympy.Symbol("z", real=True)


class _Thing:
    def __init__(self, *arrays: Any) -> None:
        pass

    def __repr__(self) -> str:
        return "<thing>"


class _Model:
    """It looks like a module of PyTorch."""

    def __call__(self, *arrays: Any) -> Any:
        return arrays[0] if arrays else None

    def parameters(self) -> Iterator[Any]:
        yield np.ones(3)

    def __repr__(self) -> str:
        return "Sequential(\n  (0): Linear()\n)"


class _Breaking:
    """Like a tensor that requires a gradient."""

    def __array__(self, *options: Any, **more: Any) -> Any:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")

    def __repr__(self) -> str:
        return "tensor([1.], requires_grad=True)"


def _endless() -> list[Any]:
    endless: list[Any] = []
    endless.append(endless)
    return endless


WRONG: dict[str, Any] = {
    "None": None,
    "text": "banana",
    "empty text": "",
    "object": _Thing(),
    "class": _Thing,
    "lambda": lambda *arrays: arrays[0],
    "nan": math.nan,
    "inf": math.inf,
    "-1": -1,
    "0": 0,
    "3": 3,
    "2.5": 2.5,
    "True": True,
    "complex": 1j,
    "bytes": b"tanh",
    "ragged list": [[1.0], [1.0, 2.0]],
    "nested list": [[1.0, 2.0], [3.0, 4.0]],
    "empty list": [],
    "list of None": [None, None],
    "list of texts": ["x", "y"],
    "dict": {"w": 1},
    "empty dict": {},
    "set": {1, 2},
    "model": _Model(),
    "object array": np.array([None, "x"], dtype=object),
    "3-d array": np.ones((2, 2, 2)),
    "0-d array": np.array(0.5),
    "symbol": sympy.Symbol("q"),
    "I": sympy.I,
    "oo": sympy.oo,
    "relational": _Z < 1,
    "set of SymPy": sympy.Interval(0, 1),
    "matrix": sympy.Matrix([[1, 2]]),
    "huge": 10**400,
    "module": math,
    "chain": gt.Chain(2, "tanh"),
    "optimiser": gt.optimisers.gradient_descent(0.1),
    "activation": gt.activation("tanh"),
    "function": np.tanh,
    "generator": (k for k in ()),
    "tensor with a gradient": _Breaking(),
    "dtype": np.dtype(float),
    "long double": np.longdouble(10) ** 400,
    "list of itself": _endless(),
    "sum": sympy.Sum(_Z, (_Z, 1, 3)),
}

_CHAIN = gt.Chain(2, "tanh")
_SIGMOID = gt.Chain(2, "sigmoid")
_NETWORK = gt.Network((2, 2, 1), "tanh")
_CARRIED = gt.Network((1, 1), "tanh", w=[[[2.0]]], b=[[0.0]])
_BOX = ([-1.0], [1.0])
_HEAVY = gt.optimisers.heavy_ball(0.1)
_STATE = _HEAVY.start([[1.0, 2.0]])
_RUN = gt.train(_CHAIN, [1.0], [0.0], [1.0, 1.0], [0.0, 0.0], optimiser=_HEAVY, steps=2)
_SAMPLE = {"x": [0.5, -1.0], "y": [0.0, 1.0], "w": [1.0, 2.0], "b": [0.0, 0.5]}
_WIDE = {
    "x": [[0.5, -1.0]], "y": [[1.0]], "w": [np.ones((2, 2)), np.ones((1, 2))], "b": [np.zeros(2), np.zeros(1)],
}  # fmt: skip
_TANH, _SCALES = {"activation": "tanh"}, {"sigma_w": 1, "sigma_b": 1}


def _gradients(x: Any, y: Any, w: Any, b: Any) -> dict[str, Any]:
    by = _CHAIN.backprop(x, y, w, b)
    return {"loss": by.loss, "w": by.w, "b": by.b, "x": by.x}


def _wide_gradients(x: Any, y: Any, w: Any, b: Any) -> dict[str, Any]:
    by = _NETWORK.backprop(x, y, w, b)
    return {"loss": by.loss, "w": by.w, "b": by.b, "x": by.x}


def _guarantee(result: Any) -> Any:
    return gt.guarantee(result)


def _written(write: Callable[..., Iterator[Any]]) -> Callable[..., Any]:
    def call(folder: Any) -> Any:
        return next(iter(write(folder)))

    return call


# A valid call of every function, small enough that a wrong value that happens to be right costs little.
VALID: dict[str, dict[str, Any]] = {
    "Activation": {
        "name": "own",
        "symbol": "o",
        "expr": _Z,
        "range": sympy.S.Reals,
        "kernel": gt.activation("tanh").kernel,
        "reference": "none",
    },
    "Chain": {"depth": 2, "activation": "tanh", "loss": "squared"},
    "Network": {"widths": (2, 1), "activation": "tanh", "loss": "squared"},
    "activation": {"activation": "elu", "alpha": 1},
    "activation_parameters": {"activation": "elu"},
    "advise": {"network": _CHAIN, **_SAMPLE},
    "architecture": {"blocks": [gt.blocks.dense("tanh")]},
    "arrays.explosion_intervals": {**_TANH, "w": [2.0, 3.0], "b": 0.0},
    "arrays.explosion_width": {**_TANH, "w": [2.0, 3.0]},
    "article.build": {"lang": "en"},
    "atlas.write": {"folder": "."},
    "gains.write": {"folder": "."},
    "blocks.attention": {"tokens": 4, "head_size": 8, "scaled": True, "heads": 2},
    "blocks.dense": {**_TANH, **_SCALES},
    "blocks.dropout": {**_TANH, "keep": 0.5, **_SCALES},
    "blocks.gated_recurrent": {**_SCALES, "sigma_v": 1, "input_size": 1},
    "blocks.recurrent": {**_TANH, **_SCALES, "input_size": 1},
    "blocks.residual": {"blocks": [gt.blocks.dense("tanh")], "scale": 1},
    "certificate": {**_TANH, "w": 2},
    "checker.check": {"certificate": gt.certificate("tanh", 2)},
    "checker.read": {"path": "none.json"},
    "compare_activations": {"activations": ["tanh"]},
    "critical_weight": _TANH,
    "curvature.curvature_recursion": {"chain": _CHAIN},
    "curvature.hessian": {"network": _CHAIN, **_SAMPLE},
    "curvature.hessian_vector_product": {"network": _CHAIN, **_SAMPLE, "v": [1.0, 0.0, 0.0, 0.0]},
    "curvature.largest_eigenvalues": {"network": _CHAIN, **_SAMPLE, "count": 2},
    "curvature.second_derivative": {"chain": _CHAIN, "first": _CHAIN.w[1], "second": _CHAIN.b[1]},
    "curvature.sharpest_direction": {"network": _CHAIN, **_SAMPLE},
    "curvature.sharpness": {"network": _CHAIN, **_SAMPLE},
    "depth_bound": _TANH,
    "derive": {"topic": "gradient", "depth": 2, "activation": "tanh", "wrt": "w1"},
    "audit": {"network": _CARRIED, "x": [[1.0]], "y": [[0.5]], "loss": "mse", "on_unknown": "refuse", "seed": 0},
    "explosion_region": {"network": _CARRIED, "box": _BOX, "threshold": 1, "tolerance": 0.1, "most_boxes": 100},
    "exploding_biases": {**_TANH, "w": 2, "x": 1},
    "exploding_weights": {**_TANH, "b": 0, "x": 1},
    "explosion_formula": _TANH,
    "explosion_set": {**_TANH, "w": 2},
    "explosion_width": {**_TANH, "w": 2},
    "expression": {"text": "z"},
    "fact": {"name": "x"},
    "factor_probability": _TANH,
    "gaussian.closed_form": {"activation": "relu"},
    "gaussian.correlated": {**_TANH, "c": 0.5, "q": 1, "of": "value"},
    "gaussian.softmax": {"tokens": 4, "variance": 1},
    "gaussian.moment": {**_TANH, "q": 1},
    "initialisation.constant": {"fan_in": 2},
    "initialisation.glorot": {"fan_in": 2},
    "initialisation.he": {"fan_in": 2},
    "initialisation.lecun": {"fan_in": 2},
    "initialisation.orthogonal": {"fan_in": 2},
    "initialisation.pytorch_default": {"fan_in": 2},
    "initialisation.standard_normal": {"fan_in": 2},
    "largest_lyapunov_exponent": {"activation": "relu"},
    "largest_stable_step": {"network": _CHAIN, **_SAMPLE, "optimiser": _HEAVY},
    "lyapunov_exponent": {"activation": "relu"},
    "log_jacobian": {"widths": (4, 4), **_TANH, **_SCALES},
    "meanfield.chi": {**_TANH, "q": 1, "sigma_w": 1},
    "meanfield.chi_parallel": {**_TANH, "q": 1, "sigma_w": 1},
    "meanfield.correlation_map": {**_TANH, "c": 0.5, "q": 1, "sigma_w": 1},
    "meanfield.correlation_slope": {**_TANH, "c": 0.5, "q": 1, "sigma_w": 1},
    "meanfield.critical_initialisation": _TANH,
    "meanfield.depth_scales": {**_TANH, "sigma_w": 2},
    "meanfield.edge_of_chaos": {**_TANH, "sigma_b": 0.5},
    "meanfield.fixed_points": {**_TANH, **_SCALES},
    "meanfield.gain": {**_TANH, "q": 1},
    "meanfield.gradients": {**_TANH, "depth": 3, **_SCALES},
    "meanfield.jacobian_moments": {**_TANH, "depth": 3, "q": 1, "sigma_w": 1},
    "meanfield.settled_chi": {**_TANH, **_SCALES},
    "meanfield.variance_map": {**_TANH, "q": 1, **_SCALES},
    "optimisers.adam": {"eta": 0.1},
    "optimisers.adamw": {"eta": 0.1},
    "optimisers.gradient_descent": {"eta": 0.1},
    "optimisers.heavy_ball": {"eta": 0.1},
    "optimisers.nesterov": {"eta": 0.1},
    "optimisers.rmsprop": {"eta": 0.1},
    "overflow_depth": {"growth": 2.0},
    "overflow_growth": {"depth": 3},
    "precision.grad_scaler": {"most": 1000.0, "steps": 10},
    "precision.loss_scale": {"gradients": {"layer": [0.1, 1.0]}, "dtype": "float16"},
    "precision.range": {"dtype": "float16"},
    "plots.growth_of_layers": {"names": ["a"], "gains": [1.5], "spreads": [0.1]},
    "plots.explosion_region": {"region": gt.explosion_region(_CARRIED, _BOX)},
    "plots.activation_and_slope": _TANH,
    "plots.chain_diagram": {"depth": 3},
    "plots.factor_distribution": {**_TANH, "sigma_w": (1.0,)},
    "plots.factor_over_input": {**_TANH, "w": 7, "b": 1},
    "plots.glance": _TANH,
    "plots.gradient_over_depth": {**_TANH, "sigma_w": (1.0,), "depth": 2, "width": 4, "networks": 2},
    "plots.gradient_over_layers": {"factors": (0.5,)},
    "plots.lyapunov_over_weight": {"activation": "relu", "sigma_w": (1.0, 2.0)},
    "plots.phase_diagram": {**_TANH, "points": 4, "networks": [[1.0, 0.1]]},
    "plots.singular_values_of_layers": {"names": ["a"], "values": [[1.5]]},
    "plots.basins": {**_TANH, "sigma_w": [1.0, 1.5]},
    "plots.correlation_map": {**_TANH, "sigma_w": [0.9]},
    "plots.depth_scale_map": {**_TANH, "sigma_w": [0.8, 0.9], "sigma_b": [0.1, 0.2]},
    "plots.depth_scales": {**_TANH, "sigma_w": [0.8, 0.9]},
    "plots.edges": {"activations": ["tanh"], "points": 4},
    "plots.settling": {**_TANH, "sigma_w": [0.9], "of": "q", "depth": 2},
    "plots.trainable_depth": {**_TANH, "sigma_w": [0.8, 0.9], "depth": 5},
    "plots.variance_map": {**_TANH, "sigma_w": [0.9]},
    "plots.stability_diagram": {"optimisers": ("heavy_ball",), "points": 4},
    "plots.training_curve": {"run": _RUN},
    "plots.width_over_weight": _TANH,
    "remedies.adam_step_bound": {"optimiser": gt.optimisers.adam(0.1)},
    "remedies.adaptive_clip": {"gradient": [[1.0, 2.0]], "parameter": [[1.0, 1.0]]},
    "remedies.clip_by_global_norm": {"gradients": [[1.0, 2.0]], "max_norm": 1.0},
    "remedies.clip_by_norm": {"gradient": [1.0, 2.0], "max_norm": 1.0},
    "remedies.clip_by_value": {"gradient": [1.0, 2.0], "limit": 1.0},
    "remedies.clipping": {"kind": "norm", "limit": 1.0},
    "remedies.initial_factor_guarantee": {"network": _CHAIN, "scheme": gt.initialisation.lecun(1)},
    "remedies.soft_threshold": {"weights": [1.0, 2.0], "amount": 1.0},
    "remedies.stable_schedule": {"network": _CHAIN, "x": [1.0], "y": [0.0], "optimiser": _HEAVY},
    "remedies.warm_up": {"eta": 0.1, "steps": 3},
    "remedies.weight_decay_guarantee": {"network": _SIGMOID, "x": [1.0], "y": [0.0]},
    "simulation.random_chains": {**_TANH, "depth": 3, "chains": 10},
    "simulation.random_networks": {**_TANH, "depth": 2, "width": 4, "networks": 2, "inputs": 4},
    "stability_region": {"optimiser": "heavy_ball"},
    "strategies.activations": {"names": ["tanh"]},
    "strategies.chains": {"activation": "tanh", "depth": 2},
    "strategies.data": {"size": 2},
    "strategies.networks": {"activation": "tanh", "widths": (2, 1)},
    "strategies.weights": _TANH,
    "testing.assert_activation": {"fn": np.tanh, **_TANH},
    "testing.assert_gradients": {"fn": _gradients, **_TANH, "depth": 2, "cases": 2},
    "testing.assert_gradients_at": {"fn": _gradients, **_SAMPLE, **_TANH},
    "testing.assert_network_gradients": {"fn": _wide_gradients, **_TANH, "widths": (2, 2, 1), "cases": 2},
    "testing.assert_network_gradients_at": {"fn": _wide_gradients, **_WIDE, **_TANH},
    "testing.kernel_errors": {"fn": np.tanh, **_TANH},
    "testing.reference_activation": {**_TANH, "z": 1},
    "testing.reference_gradients": {"chain": _CHAIN, **_SAMPLE},
    "sweep": {"function": gt.meanfield.chi, "grid": {"q": [1.0], "sigma_w": [1.0]}},
    "total_explosion_bound": {"chain": _CHAIN},
    "exploding_parameter": {"chain": _CHAIN, "parameter": "w2", "x": 0, "w": [1, 2], "b": [0, 0]},
    "total_explosion_theorem": {"chain": _CHAIN},
    "total_explosion_set": {"chain": gt.Chain(2, "arctan"), "w": [2, 2], "b": [0, 0]},
    "train": {"network": _CHAIN, **_SAMPLE, "optimiser": _HEAVY, "steps": 2, "batch_size": 1, "seed": 0},
    "two_point": {"chain": _CHAIN, "x": 0, "y": 1, "w": [1, 2], "b": [0, 0]},
    "widest_explosion": _TANH,
    "widest_total_explosion": {"chain": _CHAIN, "weights": [2]},
}
# Results, which gradtheory makes and nobody calls; enumerations; errors; functions without arguments, and one that takes
# a torch module alone.
RESULTS = {
    "Architecture", "Audit", "Growth", "LogJacobian", "blocks.Block", "blocks.batch_norm", "blocks.layer_norm", "blocks.rms_norm",
    "gaussian.SoftmaxMoments", "monitor",
    "DepthBound", "Derivation", "Estimate", "Estimates", "ExplosionFormula", "ExplosionRegion", "Guarantee", "Root", "TwoPoint", "WidestExplosion", "WidestTotalExplosion", "article.Article",
    "article.Claim", "article.ClaimVerdict", "article.Finding", "article.Section", "atlas.AtlasEntry",
    "checker.Report", "errors.GradTheoryError", "errors.InvalidArgument", "errors.MissingDependency",
    "errors.MissingProgram", "errors.NoClosedForm", "errors.Undecided", "gains.GainsEntry",
    "initialisation.Initialisation", "meanfield.CriticalInitialisation", "meanfield.DepthScales",
    "meanfield.EdgeOfChaos", "meanfield.FixedPoint", "meanfield.Gain", "meanfield.JacobianMoments",
    "precision.FloatType", "precision.GradientSizes", "precision.LossScale", "precision.ScalerRun",
    "optimisers.Optimiser", "optimisers.State", "remedies.ActivationRow", "remedies.Clipped", "remedies.Clipping", "remedies.Comparison",
    "remedies.InitialFactorBound", "remedies.WeightDecayBound", "simulation.ChainSample", "simulation.Measured",
    "simulation.NetworkSample", "testing.ChainCase", "testing.Enclosed", "testing.KernelErrors",
    "testing.NetworkCase", "testing.ReferenceGradients", "activation_names", "atlas.entries", "atlas.page",
    "gains.entries", "gains.page", "guarantee", "strategies.thresholds", "remedies.compare_activations",
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One wrong call."""

    name: str
    argument: str
    value: str
    function: Callable[..., Any]
    arguments: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.name}({self.argument} = {self.value})"

    def fault(self) -> str | None:
        """Make the call, and return what is wrong with how it ends, or nothing."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                result = self.function(**self.arguments)
                if isinstance(result, sympy.Basic | gt.Activation) or self.name.startswith("testing.reference"):
                    repr(result)
        except gt.errors.GradTheoryError as error:
            return None if "\n" not in str(error) and len(str(error)) < 400 else f"long: {error}"
        except AssertionError as error:
            return None if self.name.startswith("testing.assert") and str(error) else f"AssertionError: {error}"
        except Exception as error:  # what is sought
            return f"{type(error).__name__}: {str(error)[:150]}"
        finally:
            _close_figures()
        return None


def _give_up(*_: Any) -> None:
    raise TimeoutError(f"more than {_LONGEST} s of work")


def _close_figures() -> None:
    from matplotlib import pyplot as plt

    plt.close("all")


def public_names() -> set[str]:
    """Return the dotted names of all public functions and classes."""
    names = set()
    for name in gt.__all__:
        item = getattr(gt, name)
        if isinstance(item, types.ModuleType):
            names |= {f"{name}.{each}" for each in item.__all__ if callable(getattr(item, each))}
        else:
            names.add(name)
    return names


def _function(name: str) -> Callable[..., Any]:
    module, _, function = name.rpartition(".")
    item = getattr(getattr(gt, module) if module else gt, function)
    return _written(item) if function == "write" else item


@functools.cache
def methods() -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """Return what results and tools can do, with a valid call of each."""
    region, uniform = gt.stability_region("heavy_ball"), gt.initialisation.glorot(2, shape="uniform")
    decay = gt.remedies.weight_decay_guarantee(_SIGMOID, [1.0], [0.0])
    return {
        "Activation.value": (gt.activation("tanh").value, {"z": 1.0}),
        "Activation.slope": (gt.activation("tanh").slope, {"z": 1.0}),
        "Activation.bend": (gt.activation("tanh").bend, {"z": 1.0}),
        "Activation.value_and_slope": (gt.activation("tanh").value_and_slope, {"z": 1.0}),
        "Chain.slope": (_CHAIN.slope, {"layer": 1}),
        "Chain.layer_jacobian": (_CHAIN.layer_jacobian, {"layer": 1}),
        "Chain.layer_jacobians": (_CHAIN.layer_jacobians, {"first": 1, "last": 2}),
        "Chain.gradient": (_CHAIN.gradient, {"wrt": _CHAIN.w[1]}),
        "Chain.substitute": (_CHAIN.substitute, {"expr": _CHAIN.a[2]}),
        "Chain.backprop": (_CHAIN.backprop, _SAMPLE),
        "Chain.symbol": (_CHAIN.symbol, {"name": "w1"}),
        "Network.backprop": (_NETWORK.backprop, _WIDE),
        "Network.jacobian": (_NETWORK.jacobian, {key: _WIDE[key] for key in "xwb"}),
        "Network.jacobian_bound": (_NETWORK.jacobian_bound, {"w": _WIDE["w"]}),
        "Network.forward": (_CARRIED.forward, {"x": [[1.0]]}),
        "Network.jvp": (_CARRIED.jvp, {"x": [[1.0]], "v": [[1.0]]}),
        "Network.vjp": (_CARRIED.vjp, {"x": [[1.0]], "u": [[1.0]]}),
        "Network.hvp": (_CARRIED.hvp, {"x": [[1.0]], "y": [[0.0]], "w": [[[1.0]]], "b": [[1.0]]}),
        "Network.from_nodes": (gt.Network.from_nodes, {"nodes": _CARRIED.nodes, "n_inputs": 1, "loss": "mse"}),
        "Network.from_weights": (gt.Network.from_weights, {"weights": {"a.weight": [[1.0]]}, "activation": "tanh"}),
        "Network.jacobian_bound on a box": (_CARRIED.jacobian_bound, {"box": _BOX}),
        "Network.layer_bounds": (_CARRIED.layer_bounds, {"box": _BOX}),
        "Optimiser.start": (_HEAVY.start, {"parameters": [[1.0, 2.0]]}),
        "Optimiser.step": (_HEAVY.step, {"state": _STATE, "gradients": [[1.0, 2.0]]}),
        "Derivation.save": (gt.derive("widest", activation="tanh").save, {"path": "none.nothing"}),
        "StabilityRegion.contains": (region.contains, {"h": 1, "eta": 0.1}),
        "StabilityRegion.rate": (region.rate, {"h": 1.0, "eta": 0.1}),
        "StabilityRegion.optimal": (region.optimal, {"h_min": 1, "h_max": 2}),
        "StabilityRegion.tuning": (region.tuning, {"rate": 0.5}),
        "Initialisation.probability": (uniform.probability, {"below": 1}),
        "Initialisation.sample": (uniform.sample, {"seed": 0}),
        "WeightDecayBound.weight_bounds": (decay.weight_bounds, {"weight_decay": 1.0}),
        "WeightDecayBound.largest_step": (decay.largest_step, {"weight_decay": 1.0}),
        "Fact.check": (gt.fact("widest").check, {"activation": "tanh"}),
        "overflow_depth, of a random chain": (
            gt.overflow_depth,
            {"growth": gt.lyapunov_exponent("relu", 4), "probability": 0.5},
        ),
        "guarantee": (_guarantee, {"result": sympy.S.One}),
    }


def calls(*, of_methods: bool = True) -> Iterator[Call]:
    """Yield every wrong call of functions and, if asked, of methods."""
    subjects = {name: (_function(name), valid) for name, valid in VALID.items()} | (methods() if of_methods else {})
    for name, (function, valid) in subjects.items():
        parameters = [*inspect.signature(function).parameters.values()]
        asked = [each.name for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
        for argument in dict.fromkeys([*asked, *valid]):
            for label, value in WRONG.items():
                if _is_right(name, argument, label, parameters):
                    continue
                yield Call(name, argument, label, function, {**valid, argument: value})


def _is_right(name: str, argument: str, label: str, parameters: Any) -> bool:
    """Return whether a value is right, and dear; or is a function of other arguments, whose own error goes through."""
    default = next((each.default for each in parameters if each.name == argument), None)
    return (
        (label == "None" and default is None)
        or (label == "text" and argument == "folder")
        or (label == "function" and argument in ("clip", "schedule", "proximal", "progress"))
        or (label == "activation" and name == "largest_lyapunov_exponent")
    )


def sample(count: int, seed: int = 0) -> list[Call]:
    """Return some of the wrong calls of functions."""
    return random.Random(seed).sample(list(calls(of_methods=False)), count)


@contextlib.contextmanager
def elsewhere() -> Iterator[None]:
    """Work in a folder that is thrown away: some values are valid paths."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        yield


def main(patterns: list[str]) -> int:
    """Make all calls, print what came of them, and return 1 if there are faults."""
    made: Counter[str] = Counter()
    times: list[tuple[float, str]] = []
    faults: list[str] = []
    signal.signal(signal.SIGVTALRM, _give_up)
    with elsewhere():
        for call in calls():
            if patterns and not any(pattern in call.name for pattern in patterns):
                continue
            start = time.process_time()
            try:
                signal.setitimer(signal.ITIMER_VIRTUAL, _LONGEST)
                fault = call.fault()
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            except TimeoutError as error:  # as the call ended
                fault = str(error)
            times.append((time.process_time() - start, str(call)))
            made[call.name] += 1
            if fault:
                faults.append(f"{call}: {fault}")
                print(faults[-1], file=sys.stderr, flush=True)
    print(*(f"{count:5} {name}" for name, count in made.items()), sep="\n")
    print("slowest:", *(f"{seconds:8.2f} s  {call}" for seconds, call in sorted(times, reverse=True)[:20]), sep="\n")
    print(f"{made.total()} calls of {len(made)} functions, {len(faults)} faults")
    return bool(faults)


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "agg")
    sys.exit(main(sys.argv[1:]))
