"""The page of published numbers."""

from collections.abc import Iterator
from pathlib import Path

from gradtheory.document.files import read_folder, write_file
from gradtheory.pages import page as pages
from gradtheory.pages.literature.numbers import NUMBERS
from gradtheory.pages.literature.sources import SOURCES


def page() -> str:
    """Return the page as Markdown: each number as it is printed, and as it is computed now."""
    return pages.page(
        "literature.md.jinja", numbers=NUMBERS, sources=SOURCES, agreeing=sum(each.agrees for each in NUMBERS)
    )


def write(folder: str | Path) -> Iterator[Path]:
    """Write the page into a folder, and yield its path."""
    yield write_file(read_folder(folder, "folder") / "literature.md", page())
