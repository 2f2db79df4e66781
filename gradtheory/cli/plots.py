"""`gradtheory plot`: every function of `gradtheory.plots`, with the options that its signature states."""

import ast
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

import gradtheory as gt
from gradtheory.cli import names
from gradtheory.cli.group import (
    ACTIVATION,
    PATH,
    app,
    expr_option,
    of_activation,
    one_activation,
    threshold_option,
)
from gradtheory.cli.help import Command, Group
from gradtheory.cli.networks import audited, network_options, read_network
from gradtheory.cli.printing import say, write
from gradtheory.cli.training import run_options, trained
from gradtheory.cli.words import language, said
from gradtheory.document.files import drawn, read_target
from gradtheory.errors import InvalidArgument, extra

_SUFFIXES = (".png", ".svg", ".pdf")
_SIZE, _DOTS = (7.0, 4.5), 150  # inches, and dots in one

_out_option = click.option(
    "-o", "--out", metavar="FILE", type=PATH, required=True, help="The picture to write: .png, .svg or .pdf."
)


class Several(click.ParamType[list[Any]]):
    """Items with commas between them; of numbers, pairs are written with a colon."""

    def __init__(self, name: str, item: Callable[[str], Any] = str) -> None:
        self.name, self._item = name, item

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[Any]:
        """Return the items."""
        try:
            return [self._item(part.strip()) for part in str(value).split(",")]
        except ValueError:
            example = "0.5,1.0, or pairs such as -1:1,0:2"
            self.fail(f"must be numbers with commas between them, such as {example}; not {value!r}", param, ctx)


def _number_or_pair(text: str) -> float | tuple[float, ...]:
    return tuple(map(float, text.split(":"))) if ":" in text else float(text)


_NUMBERS = Several("S,S,…", _number_or_pair)
_TYPES: Mapping[str, click.ParamType[Any]] = {  # by the annotation of a parameter
    "float": click.FLOAT,
    "int": click.INT,
    "str": click.STRING,
    "NumberLike": click.STRING,
    "Iterable[float]": _NUMBERS,
    "ArrayLike": _NUMBERS,
    "ArrayLike | None": _NUMBERS,
    "Sequence[str]": Several("NAME,NAME,…"),
    "ActivationLike | Sequence[ActivationLike]": Several("ACT,ACT,…"),
}
_MEANINGS: Mapping[str, str] = {
    "b": "The bias.",
    "w": "The weight, such as 7, -0.3 or 22/7; taken exactly.",
    "activations": "The activations, one curve each.",
    "depth": "The number of layers.",
    "factors": "The factors, one curve each.",
    "largest": "The largest variance.",
    "largest_bias": "The largest σ_b.",
    "networks": "The networks to mark, as sigma_w:sigma_b.",
    "networks: int": "How many networks.",
    "of": "Which quantity is drawn.",
    "optimisers": "The optimisers, one curve each.",
    "points": "How many points a curve has.",
    "seed": "Of the generator.",
    "sigma_b": "The scale of the biases.",
    "sigma_w": "The scales of the weights.",
    "span": "Half the width of the window in z.",
    "squared": "Draw σ² in place of σ.",
    "starts": "Where they start.",
    "threshold": "What exceeds this size explodes.",
    "width": "The number of neurons in a layer.",
}


class Plots(Group):
    """A command for each picture, made when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the pictures."""
        return sorted(names.plots())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command for one picture."""
        function = names.plots().get(cmd_name)
        return None if function is None else _command(function)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is asked for, or name the nearest ones."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=self.list_commands(ctx), ctx=ctx
            ) from None


@app.group(cls=Plots)
def plot() -> None:
    """Draw a picture, as PNG, SVG or PDF.

    Example: gradtheory plot phase_diagram gelu --out phases.png
    """


@functools.cache
def _command(function: ast.FunctionDef) -> click.Command:
    name, sentence = function.name, (ast.get_docstring(function) or "").partition("\n\n")[0]
    decorators, subject = _OF_OBJECTS.get(name) or _of_signature(function)
    example = _EXAMPLES.get(name) or f"{'tanh ' if _defaults(function).get('activation') else ''}"

    def run(out: Path, **asked: Any) -> None:
        if out.suffix not in _SUFFIXES:
            raise InvalidArgument("out", str(out), f"must end in one of {', '.join(_SUFFIXES)}")
        read_target(out, "out")
        arguments, options = subject(**asked)
        _draw(name, out, *arguments, **options)

    for decorate in reversed([*decorators, _out_option]):
        run = decorate(run)
    told = f"{sentence}\n\nExample: gradtheory plot {name} {example}--out {name}.png"
    return click.command(name, cls=Command, help=told)(run)


def _draw(name: str, out: Path, *arguments: Any, **options: Any) -> None:
    """Draw one picture into a file."""
    with extra("plots"):
        from matplotlib.figure import Figure
    figure = Figure(figsize=_SIZE, layout="constrained")
    draw = getattr(gt.plots, name)
    if "lang" in inspect.signature(draw).parameters:
        options["lang"] = language()
    draw(*arguments, **options, ax=figure.subplots())
    write(out, drawn(figure, out.suffix[1:], dpi=_DOTS), "out")
    say(said(f"Written: {out}"))


def _defaults(function: ast.FunctionDef) -> dict[str, tuple[str, str | None]]:
    """Return the annotation of each parameter, and its default as it is written on the command line."""
    arguments = function.args
    by_place = [None] * (len(arguments.args) - len(arguments.defaults)) + list(arguments.defaults)
    pairs = [
        *zip(arguments.args, by_place, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return {each.arg: (ast.unparse(each.annotation), _written(default)) for each, default in pairs if each.annotation}


def _written(default: ast.expr | None) -> str | None:
    try:
        value = None if default is None else ast.literal_eval(default)
    except ValueError:  # a constant of the module, or a formula
        return None
    if value is None or isinstance(value, bool):
        return None
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _of_signature(function: ast.FunctionDef) -> tuple[list[Any], Callable[..., Any]]:
    """Return the options of a function, and what makes arguments of their values."""
    parameters = _defaults(function)
    usual = parameters.pop("activation", None)

    def subject(
        activation: str | None = None, expr: str | None = None, **asked: Any
    ) -> tuple[list[Any], dict[str, Any]]:
        given = {name: value for name, value in asked.items() if value is not None}
        return ([] if usual is None else [one_activation(activation, expr, usual[1])]), given

    decorators = [] if usual is None else [of_activation]
    return [*decorators, *_options(parameters)], subject


def _options(parameters: Mapping[str, tuple[str, str | None]]) -> Iterator[Any]:
    for name, (annotation, default) in parameters.items():
        if name in ("lang", "ax"):
            continue
        meaning = _MEANINGS.get(f"{name}: {annotation}") or _MEANINGS[name]
        told = meaning + ("" if default is None else f"  [default: {default}]")
        flag = f"-{name}" if len(name) == 1 else f"--{name.replace('_', '-')}"
        if annotation == "bool":
            yield click.option(flag, name, is_flag=True, default=None, help=told)
        else:
            yield click.option(flag, name, type=_TYPES[annotation], metavar=_TYPES[annotation].name.upper(), help=told)


# Pictures of what is not an activation or a number, but made of files or of a run


def _of_run(**asked: Any) -> tuple[list[Any], dict[str, Any]]:
    return [trained(**asked)], {}


def _of_gains(**asked: Any) -> tuple[list[Any], dict[str, Any]]:
    report = audited(**asked)
    columns = [[getattr(block, field) for block in report.blocks] for field in ("name", "gain", "spread")]
    return columns, {"marked": report.marked}


def _of_singular_values(**asked: Any) -> tuple[list[Any], dict[str, Any]]:
    layers = [layer for layer in audited(**asked).layers if layer.singular_values is not None]
    return [[getattr(layer, field) for layer in layers] for field in ("name", "singular_values")], {}


def _of_region(
    *, model: Path, activation: str | None, expr: str | None, box: list[Any], threshold: str
) -> tuple[list[Any], dict[str, Any]]:
    if not all(isinstance(side, tuple) and len(side) == 2 for side in box):
        raise InvalidArgument("box", box, "must be the lower and the upper end of each input, such as -2:2,0:1")
    if len(box) > 2:  # before the work is done
        raise InvalidArgument("box", box, "must be of one or two inputs, which can be drawn")
    corners = tuple(zip(*box, strict=True))
    return [gt.explosion_region(read_network(model, activation, expr), corners, threshold=threshold)], {}


_region_options = [
    click.argument("model", metavar="MODEL", type=PATH),
    click.option(
        "--activation", metavar="ACT", type=ACTIVATION, help="That of every layer, for .safetensors; tanh unless given."
    ),
    expr_option,
    click.option(
        "--box", metavar="A:B,…", type=_NUMBERS, required=True, help="The ends of each input, such as -2:2,0:1."
    ),
    threshold_option,
]
_OF_OBJECTS: Mapping[str, tuple[list[Any], Callable[..., Any]]] = {
    "training_curve": ([run_options], _of_run),
    "growth_of_layers": ([network_options], _of_gains),
    "singular_values_of_layers": ([network_options], _of_singular_values),
    "explosion_region": (_region_options, _of_region),
}
_EXAMPLES = {
    "training_curve": "-w 6,6,6 -b -3,-3,-3 --eta 2 ",
    "growth_of_layers": "model.onnx --data x.npy ",
    "singular_values_of_layers": "model.onnx --data x.npy ",
    "explosion_region": "model.onnx --box -2:2,-2:2 ",
}
