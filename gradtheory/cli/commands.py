"""All commands in one group, and what is printed where one of them fails."""

import sys
from collections.abc import Sequence

import click

from gradtheory.cli.group import app
from gradtheory.cli.help import example
from gradtheory.cli.words import listen, said, said_error
from gradtheory.errors import GradTheoryError

__all__ = ["app", "run"]

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
        message = " ".join(error.format_message().split()).replace("integer range", "integer")
        if isinstance(error, click.MissingParameter | click.NoSuchOption | click.BadOptionUsage):
            if not message.endswith(("?", "?)")):  # where Click names the nearest option
                message = f"{message.rstrip('.')}, as in: {example(error.ctx)}"
        elif isinstance(error, click.exceptions.NoSuchCommand) and error.ctx and not message.endswith(("?", "?)")):
            message = f"{message.rstrip('.')}: `{error.ctx.command_path} --help` lists them"
        message = said(message)
    except click.exceptions.Abort:
        return 130  # as a shell reports an interrupt
    except GradTheoryError as error:
        message = said_error(error)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        sys.stderr.close()
        return 0
    click.echo(f"gradtheory: {' '.join(message.split())[:_LONGEST_MESSAGE]}", err=True)
    return 2
