"""All commands in one group, and what is printed where one of them fails."""

import sys
from collections.abc import Sequence

import click

from gradtheory.cli import catalogue, derivations, exploring, networks, random_weights, sets, total, training
from gradtheory.cli.group import app
from gradtheory.cli.words import listen, said
from gradtheory.errors import GradTheoryError, InvalidArgument

__all__ = [
    "app",
    "catalogue",
    "derivations",
    "exploring",
    "networks",
    "random_weights",
    "run",
    "sets",
    "total",
    "training",
]

_LONGEST_MESSAGE = 500


def run(arguments: Sequence[str] | None) -> int:
    """Run a command; return its exit code: 0, or 2 with one line on bad input."""
    listen(sys.argv[1:] if arguments is None else arguments)
    try:
        return int(app.main(arguments, prog_name="gradtheory", standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help())
        return 0
    except click.ClickException as error:
        message = error.format_message()
    except click.exceptions.Abort:
        return 130  # as a shell reports an interrupt
    except InvalidArgument as error:
        message = str(InvalidArgument(error.name, error.value, said(error.rule)))
    except GradTheoryError as error:
        message = str(error)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        sys.stderr.close()
        return 0
    click.echo(f"gradtheory: {said(' '.join(message.split()))[:_LONGEST_MESSAGE]}", err=True)
    return 2
