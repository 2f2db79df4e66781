"""Documents as files: the format follows from the suffix; PDF needs a TeX engine."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gradtheory.document.files import read_path, read_target, write_file
from gradtheory.document.formats import save_figures, to_html, to_latex, to_markdown, to_notebook, to_text
from gradtheory.document.model import Document
from gradtheory.errors import InvalidArgument, MissingProgram, extra

_ENGINES = {"en": ("pdflatex", "xelatex"), "zh": ("xelatex",)}
_PACKAGES = {"en": "texlive-latex-extra", "zh": "texlive-xetex texlive-lang-chinese"}
_SECONDS = 300
_RUNS = 2  # so that references are resolved


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
        return write_file(target, _pdf(document))
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


def _pdf(document: Document) -> bytes:
    """Compile in an empty folder, without shell escape, and reading and writing nothing outside."""
    engine = next(filter(None, map(shutil.which, _ENGINES[document.lang])), None)
    if engine is None:
        names = " or ".join(_ENGINES[document.lang])
        raise MissingProgram(
            f"a PDF needs {names} on the PATH: install it, on Debian with apt-get install {_PACKAGES[document.lang]}"
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "document.tex").write_text(to_latex(document), encoding="utf-8")
        save_figures(document, folder, "pdf")
        command = [engine, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
        environment: Any = {**os.environ, "openin_any": "p", "openout_any": "p", "TEXMFOUTPUT": name}
        for _ in range(_RUNS):
            run = subprocess.run(  # noqa: S603  # our own file, in its own folder
                command, cwd=folder, env=environment, capture_output=True, timeout=_SECONDS, check=False
            )
            if run.returncode:
                lines = [line for line in run.stdout.decode(errors="replace").splitlines() if line.startswith("!")]
                raise MissingProgram(f"{engine} failed: {' '.join(lines)[:300] or 'see its log'}")
        return (folder / "document.pdf").read_bytes()
