"""The page docs/command-line.md, written from the commands themselves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from gradtheory.cli.commands import app
from gradtheory.cli.group import SECTIONS
from gradtheory.cli.help import Context
from gradtheory.cli.words import listen
from gradtheory.document.files import write_file

_WIDTH = 100  # columns
_OPENING = """# Command line

`pip install 'gradtheory[cli]'` brings the command `gradtheory`. This page is what its commands say with `--help`, which
`--lang zh` says in Chinese.

- Numbers are taken exactly: `7`, `-0.3`, `22/7`. ACT is a name in the [catalogue](catalogue.md); `--expr` takes a
  formula in z.
- Exit code 0 is success and 1 an answer that is no: not verified, not stable, not shown, none there. 2 is a mistake,
  told in one line on stderr that says what would work.
- `--json` prints one object for programs, as [json](json.md) documents.
- Files are written whole or not at all, and only after it is known that they can be. Folders that are missing are made.
  Where a file takes the place of another, a line on stderr says `replaced FILE`. On a terminal, what takes longer than
  a second shows that it works.

## Completion

The shell completes commands, options, activations, topics, facts, optimisers and pictures, without loading SymPy. Add
the line for your shell to its start file: `~/.bashrc`, `~/.zshrc`, or
`~/.config/fish/completions/gradtheory.fish`.

```console
$ eval "$(_GRADTHEORY_COMPLETE=bash_source gradtheory)"
$ eval "$(_GRADTHEORY_COMPLETE=zsh_source gradtheory)"
$ _GRADTHEORY_COMPLETE=fish_source gradtheory | source
```
"""


def top_context(**more: Any) -> Context:
    """Return what `gradtheory` itself is called with, within which its commands are."""
    return Context(app, info_name="gradtheory", **app.context_settings, **more)


def page() -> str:
    """Return the page in English."""
    listen(["--lang", "en"])
    return "\n".join([_OPENING, *_parts()])


def write(folder: Path) -> None:
    """Write the page into a folder."""
    write_file(folder / "command-line.md", page())


def _parts() -> Iterator[str]:
    top = top_context(terminal_width=_WIDTH)
    for title, names in SECTIONS.items():
        yield f"## {title}\n"
        for name in names:
            yield from _command(app.commands[name], name, top)


def _command(command: click.Command, name: str, parent: click.Context) -> Iterator[str]:
    context = Context(command, info_name=name, parent=parent, terminal_width=_WIDTH)
    yield f"### {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            if (picture := command.get_command(context, child)) is not None:
                yield from _command(picture, child, context)
