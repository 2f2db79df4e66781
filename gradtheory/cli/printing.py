"""How commands print their results."""

import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import sympy
from rich.console import Console
from rich.table import Table

import gradtheory as gt
from gradtheory.cli.words import said
from gradtheory.document.wrapping import columns, padded
from gradtheory.errors import InvalidArgument


def print_result(as_json: bool, **result: Any) -> None:
    """Print names and values in two columns, or as JSON."""
    shown = {name: plain(value) for name, value in result.items()}
    if as_json:
        print_json(shown)
        return
    labels = {name: said(name.replace("_", " ")) for name in shown}
    pad = max(map(columns, labels.values()))
    for name, value in shown.items():
        if value is not None:
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            click.echo(f"{padded(labels[name], pad)}  {said(text)}")


def print_table(titles: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Print rows under titles."""
    table = Table(*map(said, titles))
    for row in rows:
        table.add_row(*(said(str(value)) for value in row.values()))
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def plain(value: Any) -> Any:
    """Return a value as JSON takes it."""
    if isinstance(value, gt.Guarantee):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no inf
    return str(value) if isinstance(value, sympy.Basic) else value


def short(value: Any) -> str:
    """Return a cell of a table: numbers with 6 digits."""
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def written(write: Callable[[Path], Iterable[Path]], folder: Path) -> list[Path]:
    """Return the files that were written to a folder; one that cannot be written to is refused first."""
    from gradtheory.document import read_folder

    folder = read_folder(folder, "out")
    try:
        return list(write(folder))
    except OSError as error:
        raise InvalidArgument(
            "out", str(folder), f"must be a folder that can be written to ({error.strerror})"
        ) from None


def write_text(path: Path, text: str, name: str) -> None:
    """Write a file; where that fails the option is named."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidArgument(name, str(path), f"must be a file that can be written to ({error.strerror})") from None
