"""The group of commands, and the arguments that several of them share."""

from pathlib import Path
from typing import Any

import click

import gradtheory as gt
from gradtheory.arithmetic.choices import nearest
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.cli.help import Group

activation_argument = click.argument("activation", metavar="[ACT]", required=False)
expr_option = click.option(
    "--expr", metavar="TEXT", help='Your own activation in z, in place of ACT, such as "z*tanh(log(1 + exp(z)))".'
)
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
    "--certificate",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the proof to this file, for `gradtheory verify`.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


class Choice(click.Choice):  # type: ignore[type-arg]  # of words
    """One of a few words, the nearest of which is named."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return what is said of another word."""
        message = super().get_invalid_choice_message(value, ctx)
        near = nearest(str(value), tuple(map(str, self.choices)))
        return message if near is None else f"{message.rstrip('.')}; the nearest is {near!r}."


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: gradtheory set sigmoid -w 7",
)
@click.version_option(gt.__version__, prog_name="gradtheory", message="%(prog)s %(version)s")
def app() -> None:
    """Say why gradients explode or vanish, exactly where, and what provably stops it.

    ACT is the name of an activation; `gradtheory activations` lists them.
    """


def one_activation(name: str | None, text: str | None) -> gt.Activation:
    """Return the activation that is named, or the one that is written out."""
    if (name is None) == (text is None):
        raise click.UsageError("give either ACT, such as sigmoid, or --expr TEXT, such as --expr 'z*sigmoid(2*z)'")
    return gt.activation(name) if text is None else gt.activation(gt.expression(text))
