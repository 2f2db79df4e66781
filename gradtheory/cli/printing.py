"""How commands print their results, and where they write files."""

import json
import sys
from collections.abc import Callable, Container, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from gradtheory.cli.progress import counted, quiet
from gradtheory.cli.results import as_json, in_text
from gradtheory.cli.words import said
from gradtheory.document.files import read_folder, write_file
from gradtheory.document.wrapping import columns, padded


def say(text: str, *, line_end: bool = True) -> None:
    """Print text, after whatever shows that work is done."""
    quiet()
    click.echo(text, nl=line_end)


def print_result(told_as_json: bool, **result: Any) -> None:
    """Print names and values in two columns, or as JSON; in the columns those that are None are left out."""
    if told_as_json:
        print_json(**result)
        return
    shown = {said(name.replace("_", " ")): in_text(value) for name, value in result.items() if value is not None}
    pad = max(map(columns, shown))
    say("\n".join(f"{padded(label, pad)}  {said(text)}" for label, text in shown.items()))


def print_table(titles: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Print rows under titles; names of activations, of which one is "threshold", stay what one types."""
    from rich.console import Console
    from rich.table import Table

    quiet()
    table = Table(*map(said, titles))
    for row in rows:
        cells = zip(titles, map(str, row.values()), strict=True)
        table.add_row(*(cell if title == "activation" else said(cell) for title, cell in cells))
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def print_json(**result: Any) -> None:
    """Print results as one JSON object, which names the command: docs/json.md says what stands in it."""
    path = click.get_current_context().command_path.split(maxsplit=1)[1]
    say(json.dumps({"command": path} | as_json(result), ensure_ascii=False, allow_nan=False, indent=2))


def short(value: Any) -> str:
    """Return a cell of a table: numbers with 6 digits."""
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def replaced(paths: Iterable[Path], before: Container[Path]) -> None:
    """Say which files have taken the place of others."""
    if names := [str(path) for path in paths if path in before]:
        quiet()
        many = f" and {len(names) - 1} more files" if len(names) > 1 else ""
        click.echo(said(f"replaced {names[-1]}{many}"), err=True)


def write(path: Path, content: str | bytes, name: str) -> None:
    """Write a file, and say so if it has taken the place of another."""
    before = [path] if path.exists() else []
    replaced([write_file(path, content, name)], before)


def write_folder(pages: Callable[[Path], Iterable[Path]], folder: Path) -> list[Path]:
    """Return the files that were written to a folder, and say which of them were there before."""
    folder = read_folder(folder, "out")
    before = {path for path in folder.rglob("*") if path.is_file()}
    paths = list(counted(pages(folder), "writing"))
    replaced(paths, before)
    return paths
