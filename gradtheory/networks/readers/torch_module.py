# Above 300 lines: one walk over a traced graph, with what each kind of step becomes
"""Traced torch modules as nodes: read as in evaluation (dropout does nothing), weights taken exactly."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np

from gradtheory.errors import GradTheoryError
from gradtheory.networks.nodes import Dense, LayerNorm, Node, Scale, Sum
from gradtheory.networks.readers.building import Builder, exact
from gradtheory.networks.readers.onnx_patterns import Pattern
from gradtheory.networks.readers.traced_operators import is_cast, is_type, written_by_hand
from gradtheory.networks.readers.tracing import IN_PLACE, has_hooks, traced_module

# By the name of the function in torch, in lower case without underscores, which is that of the module too: the
# activation of the catalogue, and for each of its parameters the name in torch and the default there.
_ACTIVATIONS: Mapping[str, tuple[str, Mapping[str, tuple[str, float]]]] = {
    **{name: (name, {}) for name in ("relu", "relu6", "selu", "silu", "mish", "softsign", "tanh", "sigmoid", "erf")},
    **{name: (name, {}) for name in ("tanhshrink", "identity")},
    "atan": ("arctan", {}),
    "arctan": ("arctan", {}),
    "asinh": ("arsinh", {}),
    "cos": ("cosine", {}),
    "exp": ("exponential", {}),
    "hardsigmoid": ("hard_sigmoid", {}),
    "hardswish": ("hard_swish", {}),
    "logsigmoid": ("log_sigmoid", {}),
    "sin": ("sine", {}),
    "square": ("quadratic", {}),
    "celu": ("celu", {"alpha": ("alpha", 1.0)}),
    "elu": ("elu", {"alpha": ("alpha", 1.0)}),
    "hardshrink": ("hardshrink", {"lambd": ("lambd", 0.5)}),
    "hardtanh": ("hard_tanh", {"lower": ("min_val", -1.0), "upper": ("max_val", 1.0)}),
    "leakyrelu": ("leaky_relu", {"slope": ("negative_slope", 0.01)}),
    "rrelu": ("rrelu", {"lower": ("lower", 1 / 8), "upper": ("upper", 1 / 3)}),
    "softplus": ("softplus", {"beta": ("beta", 1.0)}),  # torch's is linear beyond 20, where it differs by 2e-9
    "softshrink": ("softshrink", {"lambd": ("lambd", 0.5)}),
    "threshold": ("threshold", {"threshold": ("threshold", 0.0), "value": ("value", 0.0)}),
}
_NOTHING = ("dropout", "alphadropout", "featurealphadropout", "identity", "flatten", "contiguous", "clone")
_ADD, _SUBTRACT = ("add", "iadd"), ("sub", "isub", "subtract")
_RANDOM = {"dropout": True, "alphadropout": False, "featurealphadropout": False, "rrelu": False}  # unless told
_MULTIPLY, _DIVIDE = ("mul", "imul", "multiply"), ("truediv", "itruediv", "div", "divide")


def nodes_of_module(module: Any) -> tuple[tuple[Node, ...], int]:
    """Return the nodes of a torch module, and the width of its input.

    Raises
    ------
    InvalidArgument
        If it is no torch module, or holds what is not understood: then the message lists all of it.

    """
    traced, kind = traced_module(module)
    return _Reader(traced, kind).read()


def _is_as_torch_wrote_it(module: Any) -> bool:
    """Return whether calling a module runs what its class in torch.nn says, and not what someone put in its place."""
    forward = module.forward
    written = getattr(getattr(forward, "__func__", None), "__module__", "")
    return "forward" not in vars(module) and all(
        name.startswith("torch.nn.modules.") for name in (type(module).__module__, written)
    )


class _Reader:
    """A walk over a traced graph."""

    def __init__(self, traced: Any, kind: str) -> None:
        self._traced = traced
        self._modules = dict(traced.named_modules())
        self._builder = Builder("module", kind)
        self._arrays: dict[Any, Any] = {}
        self._memory: dict[Any, Any] = {}  # whose memory is that of a step before, and which
        self._patterns: dict[str, Pattern] = {}
        self._within: set[str] = set()  # what is a step of these
        types = {str(parameter.dtype) for parameter in traced.parameters()}
        least = float(np.finfo(np.float64 if "torch.float64" in types else np.float32).eps)
        is_mixed = len(types) > 1 and "torch.float64" in types
        self._least = None if is_mixed else least  # RMSNorm's own ε: that of its input's type, or of float32

    def read(self) -> tuple[tuple[Node, ...], int]:
        """Return the nodes and the width of the input."""
        output = None
        steps = self._traced.graph.nodes
        inputs = [node for node in steps if node.op == "placeholder"]
        named = ((node, _attribute(self._traced, node.target)) for node in steps if node.op == "get_attr")
        self._patterns = written_by_hand(steps, {node: _array(value) for node, value in named if _is_real(value)})
        self._within = {name for pattern in self._patterns.values() for name in pattern.within}
        places = {node.name: node for node in steps}
        for node in steps:
            match node.op:
                case "placeholder" if node is inputs[0]:
                    self._builder.places[node] = -1
                case "placeholder":
                    self._builder.refuse(node, "a second input", str(node.target))
                case "get_attr":
                    self._arrays[node] = _attribute(self._traced, node.target)
                case "output":
                    output = node.args[0]
                case _ if is_type(node):
                    self._arrays[node] = None
                case _ if node.name in self._patterns and node.name not in self._within:
                    self._by_hand(node, places)
                case _ if node.name not in self._within:
                    self._step(node)
        if output not in self._builder.places and not self._builder.problems:
            kind = type(output).__name__.removeprefix("immutable_")
            self._builder.refuse(output, f"a forward that returns a {kind} in place of one tensor", "output")
        return self._builder.finish(output)

    def _is_gain(self, node: Any, source: Any, factor: Any) -> bool:
        """Give a norm the gain by which it alone is multiplied; return whether it takes it."""
        place = self._builder.places[source]
        norm = self._builder.nodes[place].operation if place >= 0 else None
        if not (isinstance(norm, LayerNorm) and norm.gain is norm.bias is None and factor.ndim == 1):
            return False
        if not all(hasattr(each, "users") and len(each.users) == 1 for each in self._builder.holders[place]):
            return False  # others take what is there without
        self._builder.nodes[place] = replace(self._builder.nodes[place], operation=replace(norm, gain=factor))
        self._builder.same(node, source)
        return True

    def _by_hand(self, node: Any, places: Mapping[str, Any]) -> None:
        """Add what is written in several steps, of which a node is the last."""
        pattern = self._patterns[node.name]
        if not self._builder.knows(source := places.get(pattern.source)):
            return  # follows something that is not understood
        if isinstance(pattern.operation, str):
            self._builder.element(node, node.name, source, pattern.operation)
        else:
            self._builder.add(node, node.name, pattern.operation, source)

    def _step(self, node: Any) -> None:
        """Add what one step of the graph does."""
        where, what = self._called(node)
        values = [each for each in node.args if hasattr(each, "op") and each not in self._arrays]
        if not self._builder.knows(*values):
            return  # follows something that is not understood
        if not node.meta["is_passed"]:
            self._builder.refuse(node, f"{what} without gradients", where)
            return
        if self._overwrites(node) and not self._is_alone(node):
            self._builder.refuse(node, f"{what}, in place of what others take,", where)
            return
        try:
            done = self._module(node, where) if node.op == "call_module" else self._function(node, where, what)
        except (GradTheoryError, TypeError, ValueError, AttributeError, LookupError) as error:
            done, what = False, f"{what} ({error})"
        if not done:
            self._builder.refuse(node, what, where)

    def _overwrites(self, node: Any) -> bool:
        """Return whether a step writes its result over its input."""
        if node.op == "call_module":
            return bool(getattr(self._modules[node.target], "inplace", False))
        name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
        return bool(node.kwargs.get("inplace")) or (name.startswith("i") and name in IN_PLACE) or name.endswith("_")

    def _is_alone(self, node: Any) -> bool:
        """Return whether a step alone takes what it writes over, under whatever names that stands."""
        first = node.args[0] if node.args else None
        if first not in self._builder.places:
            return False  # weights
        memory = self._memory.get(first, first)
        holders = {memory, *(each for each, known in self._memory.items() if known is memory)}
        return {user for each in holders for user in each.users} <= {*holders, node}

    def _same(self, node: Any, source: Any) -> None:
        """Let a step be another, and hold its memory unless it is a copy."""
        self._builder.same(node, source)
        if _plain(node) != "clone":
            self._memory[node] = self._memory.get(source, source)

    def _called(self, node: Any) -> tuple[str, str]:
        """Return where a step stands, and what it calls."""
        if node.op == "call_module":
            module = self._modules[node.target]
            return str(node.target), f"{type(module).__name__}{' with hooks' if has_hooks(module) else ''}"
        return node.name, node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "?")

    def _module(self, node: Any, where: str) -> bool:
        """Add a module; return whether it is understood."""
        module, source, add = self._modules[node.target], node.args[0], self._builder.add
        kind = type(module).__name__
        if has_hooks(module) or not _is_as_torch_wrote_it(module):
            return False
        if kind in ("Linear", "NonDynamicallyQuantizableLinear"):
            add(node, where, Dense(_array(module.weight), _array(module.bias)), source)
            return True
        if kind in ("LayerNorm", "RMSNorm") and len(module.normalized_shape) == 1:
            epsilon = self._least if module.eps is None else float(module.eps)
            if epsilon is None:
                return False  # that of the type of its input, which is not known
            is_centred = kind == "LayerNorm"
            bias = _array(module.bias) if is_centred else None
            add(node, where, LayerNorm(_array(module.weight), bias, epsilon, is_centred), source)
            return True
        if kind == "PReLU" and module.weight.numel() == 1:
            self._builder.element(node, where, source, "leaky_relu", slope=module.weight.item())
            return True
        return self._simple(node, where, source, kind, lambda name, default: getattr(module, name, default))

    def _function(self, node: Any, where: str, what: str) -> bool:
        """Add a function or method; return whether it is understood."""
        name, arguments = what.strip("_"), node.args
        if is_cast(node):
            self._same(node, arguments[0])
            return True
        if name in (*_ADD, *_SUBTRACT, *_MULTIPLY, *_DIVIDE, "neg"):
            return self._arithmetic(node, where, name)
        if name == "linear":
            given = dict(zip(("input", "weight", "bias"), arguments, strict=False)) | dict(node.kwargs)
            weights = [given[which] for which in ("weight", "bias") if given.get(which) is not None]
            self._builder.add(node, where, Dense(*(_array(self._arrays[each]) for each in weights)), given["input"])
            return True
        is_random = _plain(node) in _RANDOM and _by_name(node)("training", _RANDOM[_plain(node)])
        if name in ("layer_norm", "rms_norm") or is_random:  # of norms parameters may stand anywhere
            return False
        return self._simple(node, where, arguments[0], name, _by_name(node))

    def _simple(self, node: Any, where: str, source: Any, kind: str, parameter: Callable[[str, float], Any]) -> bool:
        """Add what keeps the shape and has no weights."""
        name = kind.lower().replace("_", "")
        if name == "flatten" and (parameter("start_dim", 0), parameter("end_dim", -1)) != (1, -1):
            return False
        if name == "softplus" and parameter("threshold", 20.0) < 20.0:
            return False
        if name in _NOTHING:
            self._same(node, source)
            return True
        if name == "gelu":
            which = "gelu_tanh" if parameter("approximate", 0.0) == "tanh" else "gelu"
            self._builder.element(node, where, source, which)
            return True
        if name not in _ACTIVATIONS:
            return False
        which, parameters = _ACTIVATIONS[name]
        self._builder.element(node, where, source, which, **{key: parameter(*of) for key, of in parameters.items()})
        return True

    def _arithmetic(self, node: Any, where: str, name: str) -> bool:
        """Add a sum of two values, or a product of one with numbers."""
        add = self._builder.add
        if node.kwargs or (name != "neg" and len(node.args) != 2):
            return False
        values = [each for each in node.args if each in self._builder.places]
        if name == "neg":
            add(node, where, Scale(np.asarray(-1.0)), values[0])
        elif name in _ADD and len(values) == 2:
            add(node, where, Sum(), *values)
        elif name in _SUBTRACT and len(values) == 2:
            add(("minus", node), f"{where}.minus", Scale(np.asarray(-1.0)), values[1])
            add(node, where, Sum(), values[0], ("minus", node))
        elif name in (*_MULTIPLY, *_DIVIDE) and len(values) == 1:
            (other,) = (each for each in node.args if each not in self._builder.places)
            factor = np.asarray(float(other)) if isinstance(other, Real) else _array(self._arrays.get(other))
            if factor is None or (name in _DIVIDE and (node.args[0] is not values[0] or not np.all(factor))):
                return False
            factor = 1.0 / np.squeeze(factor) if name in _DIVIDE else np.squeeze(factor)
            if name in _DIVIDE or not self._is_gain(node, values[0], factor):
                add(node, where, Scale(factor), values[0])
        else:
            return False
        return True


def _by_name(node: Any) -> Callable[[str, float], Any]:
    """Return what gives a parameter of a function by its name in torch, wherever it was passed."""
    order = tuple(name for name, _ in _ACTIVATIONS.get(_plain(node), ("", {}))[1].values())
    others: dict[str, tuple[str, ...]] = dict.fromkeys(_RANDOM, ("p", "training"))
    others |= {"flatten": ("start_dim", "end_dim"), "softplus": ("beta", "threshold")}
    others["rrelu"] = ("lower", "upper", "training")
    order = others.get(_plain(node), order)

    def parameter(name: str, default: float) -> Any:
        if name in node.kwargs:
            return node.kwargs[name]
        place = order.index(name) + 1 if name in order else len(node.args)
        return node.args[place] if place < len(node.args) else default

    return parameter


def _plain(node: Any) -> str:
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    return str(name).lower().replace("_", "")


def _array(tensor: Any) -> Any:
    """Return a tensor as float64, exactly; None for none."""
    if tensor is None:
        return None
    if not _is_real(tensor):
        raise TypeError("complex numbers" if tensor.is_complex() else "a sparse matrix")
    return exact(tensor.detach().cpu().double().numpy())


def _is_real(value: Any) -> bool:
    return hasattr(value, "is_complex") and not value.is_complex() and str(value.layout) == "torch.strided"


def _attribute(module: Any, path: str) -> Any:
    return operator.attrgetter(path)(module)
