"""PDF, in English or Chinese, by a TeX engine of the machine."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from gradtheory.document.formats import save_figures, to_latex
from gradtheory.document.model import Document
from gradtheory.errors import InvalidArgument, MissingProgram

ENGINES = {"en": ("pdflatex", "xelatex"), "zh": ("xelatex",)}
_PACKAGES = {"en": "texlive-latex-extra", "zh": "texlive-xetex texlive-lang-chinese"}
_SECONDS = 300
_UNKNOWN = re.compile(r"\S+ \(U\+[0-9A-F]+\)")  # as TeX names a character without a glyph
_RUNS = 6  # at most: until references are resolved, and pages as high as the run before asks for


def to_pdf(document: Document) -> bytes:
    """Return a document as PDF, compiled in an empty folder, without shell escape, reading and writing nothing outside.

    Raises
    ------
    MissingProgram
        If there is no TeX engine for its language, or it fails.
    InvalidArgument
        If a title of one's own holds a character that the engine does not know.

    """
    engine = next(filter(None, map(shutil.which, ENGINES[document.lang])), None)
    if engine is None:
        names = " or ".join(ENGINES[document.lang])
        raise MissingProgram(
            f"a PDF needs {names} on the PATH: install it, on Debian with apt-get install {_PACKAGES[document.lang]}"
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "document.tex").write_text(to_latex(document), encoding="utf-8")
        save_figures(document, folder, "pdf")
        command = [engine, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
        environment: Any = {**os.environ, "openin_any": "p", "openout_any": "p", "TEXMFOUTPUT": name}
        told = b""
        for _ in range(_RUNS):
            run = subprocess.run(  # noqa: S603  # our own file, in its own folder
                command, cwd=folder, env=environment, capture_output=True, timeout=_SECONDS, check=False
            )
            if run.returncode:
                lines = [line for line in run.stdout.decode(errors="replace").splitlines() if line.startswith("!")]
                if unknown := _UNKNOWN.search(" ".join(lines)):
                    rule = (
                        f"holds {unknown[0]}, for which {Path(engine).name} has no glyph: leave it out, or write HTML"
                    )
                    raise InvalidArgument("title", document.title, rule)
                raise MissingProgram(f"{engine} failed: {' '.join(lines)[:300] or 'see its log'}")
            before, told = told, (folder / "document.aux").read_bytes()
            if told == before:
                break
        return (folder / "document.pdf").read_bytes()
