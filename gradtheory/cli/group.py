"""The group of commands, and the arguments that several of them share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

import gradtheory as gt
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.cli import names
from gradtheory.cli.help import Group, Name
from gradtheory.errors import InvalidArgument

PATH = click.Path(path_type=Path)
_OF_FILES = (".html", ".md", ".pdf", ".tex", ".txt")
ACTIVATION, FACT = Name(names.activations), Name(names.facts)


class Number(click.ParamType[float]):
    """A number of float64, written as everywhere else: 0.3, 3/10, 1e-3."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        from gradtheory.arithmetic.inputs import read_near_float  # with SymPy, which help does not need

        return value if isinstance(value, float) else read_near_float(value, "" if param is None else str(param.name))


NUMBER = Number()


def options(*decorators: Callable[..., Any]) -> Callable[..., Any]:
    """Return what gives a command several options, in this order."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


activation_argument = click.argument("activation", metavar="[ACT]", required=False, type=ACTIVATION)
activation_option = click.option(
    "--activation", metavar="ACT", type=ACTIVATION, help="The activation of every layer; the sigmoid unless given."
)
expr_option = click.option(
    "--expr", metavar="TEXT", help='Your own activation in z, in place of ACT, such as "z*tanh(log(1 + exp(z)))".'
)
of_activation = options(activation_argument, expr_option)
weight_option = click.option(
    "-w", "--weight", metavar="W", required=True, help="The weight, such as 7, -0.3 or 22/7; taken exactly."
)
threshold_option = click.option(
    "-c",
    "--threshold",
    metavar="C",
    default="1",
    show_default=True,
    help="What exceeds this size explodes.",
)
closed_option = click.option("--closed", is_flag=True, help="Use >= in place of >.")
effort_option = click.option(
    "--effort",
    metavar="E",
    type=float,
    default=EFFORT,
    show_default=True,
    help="Work that --expr may take, about in seconds, before the answer is that nothing is proven.",
)
certificate_option = click.option(
    "--certificate", metavar="FILE", type=PATH, help="Write the proof to this file, for `gradtheory verify`."
)


def folder_option(help: str, default: Path | None = None) -> Callable[..., Any]:
    """Return the option that says in which folder files are written, whose names are not asked for."""

    def read(_: click.Context, __: click.Parameter, folder: Path | None) -> Path | None:
        if folder is not None and folder.suffix in _OF_FILES and not folder.is_dir():
            rule = "must be a folder, such as build/pages: the command names the files in it"
            raise InvalidArgument("out", str(folder), rule)
        return folder

    return click.option(
        "-o", "--out", metavar="DIR", type=PATH, default=default, show_default=True, callback=read, help=help
    )


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")

SECTIONS = {  # the module of each command, which is imported when the command is called
    "Where one neuron explodes": dict.fromkeys(("set", "weights", "biases", "width", "widest"), "sets"),
    "Chains of any depth": dict.fromkeys(("total", "depth"), "total"),
    "Proofs": {"verify": "sets"} | dict.fromkeys(("derive", "fact"), "derivations"),
    "Random weights": dict.fromkeys(("lyapunov", "edge", "critical", "simulate"), "random_weights"),
    "Training": dict.fromkeys(("stability", "train", "advise"), "training"),
    "Networks": {"audit": "networks"},
    "Catalogue, pages and pictures": dict.fromkeys(("activations", "atlas", "gains"), "catalogue")
    | {"article": "derivations", "plot": "plots", "explore": "exploring"},
}


@click.group(
    cls=Group,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: gradtheory set sigmoid -w 7",
)
@click.version_option(gt.__version__, prog_name="gradtheory", message="%(prog)s %(version)s")
def app() -> None:
    """Say why gradients explode or vanish, exactly where, and what provably stops it.

    ACT is the name of an activation; `gradtheory activations` lists them.
    """


def one_activation(name: str | None, text: str | None, unless_given: str | None = None) -> "gt.Activation":
    """Return the activation that is named, or the one that is written out."""
    if name is None and text is None and unless_given is not None:
        return gt.activation(unless_given)
    if (name is None) == (text is None):
        raise click.UsageError("give either ACT, such as sigmoid, or --expr TEXT, such as --expr 'z*sigmoid(2*z)'")
    return gt.activation(name) if text is None else gt.activation(gt.expression(text))
