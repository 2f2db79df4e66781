"""Documents as files: the format follows from the suffix."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from gradtheory.document.files import read_path, read_target, write_file
from gradtheory.document.formats import save_figures, to_html, to_latex, to_markdown, to_notebook, to_text
from gradtheory.document.model import Document
from gradtheory.document.pdf import to_pdf
from gradtheory.errors import InvalidArgument, extra


def _notebook(document: Document) -> str:
    with extra("documents"):
        import nbformat
    return str(nbformat.writes(to_notebook(document))) + "\n"


_WRITERS: Mapping[str, Callable[[Document], str]] = MappingProxyType(
    {
        ".tex": to_latex,
        ".html": to_html,
        ".md": to_markdown,
        ".txt": to_text,
        ".ipynb": _notebook,
    }
)
FORMATS = (*_WRITERS, ".pdf")


def render(document: Document, suffix: str) -> str:
    """Return a document as text in the format of a suffix.

    Raises
    ------
    InvalidArgument
        If that format is no text.

    """
    if suffix not in _WRITERS:
        raise InvalidArgument("format", suffix.removeprefix("."), "is written to files only: give one with -o FILE")
    return _WRITERS[suffix](document)


def save(document: Document, path: str | os.PathLike[str], suffix: str = "") -> Path:
    """Write a document to a file, in the format of its suffix, with its figures beside it where the format needs them.

    Parameters
    ----------
    document : Document
        The document.
    path : path
        Where to write it.
    suffix : str, optional
        The format, where the path's own suffix does not say it.

    Raises
    ------
    InvalidArgument
        If the suffix is unknown, or the file cannot be written.
    MissingProgram
        If a PDF is asked for, and there is no TeX engine.

    """
    suffix = read_suffix(path, suffix)
    target = read_target(path, "path")
    if suffix == ".pdf":
        return write_file(target, to_pdf(document))
    write_file(target, render(document, suffix))
    if suffix in (".tex", ".md", ".ipynb"):
        save_figures(document, target.parent, "pdf" if suffix == ".tex" else "svg")
    return target


def read_suffix(path: str | os.PathLike[str], suffix: str = "") -> str:
    """Return the format of a file, which the suffix of its path says, or else the one that is given.

    Raises
    ------
    InvalidArgument
        If neither says it, or they disagree.

    """
    own = read_path(path, "path").suffix
    if suffix and own in FORMATS and own != suffix:
        raise InvalidArgument("format", suffix[1:], f"must be that of the file's suffix, {own[1:]}, or left out")
    if (suffix or own) not in FORMATS:
        raise InvalidArgument("path", str(path), f"must end in one of {', '.join(FORMATS)}")
    return suffix or own
