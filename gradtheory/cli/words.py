"""The words of the command line: English where they are said, Chinese in one table."""

import re
from collections.abc import Sequence
from contextvars import ContextVar

from gradtheory.document.messages import LANGUAGES, language_of_locale
from gradtheory.document.translation import in_language, refusal, translation
from gradtheory.document.wrapping import columns
from gradtheory.errors import GradTheoryError

_LANGUAGE: ContextVar[str | None] = ContextVar("language", default=None)
_CHINESE = re.compile(r"zh|chinese|[\u4e00-\u9fff]", re.IGNORECASE)
_CELL = re.compile(r"(.*?)(\s{2,}|$)")


def listen(arguments: Sequence[str]) -> None:
    """Speak the language that arguments ask for by --lang, wherever it stands; otherwise that of the locale.

    Whoever asks for zh_CN or 中文 is refused in Chinese.
    """
    asked = None
    for place, argument in enumerate(arguments):
        option, equals, value = argument.partition("=")
        if option == "--lang":
            asked = value if equals else "".join(arguments[place + 1 : place + 2])
    if asked is not None and _CHINESE.match(asked):
        asked = "zh"
    _LANGUAGE.set(asked if asked in LANGUAGES else None)


def language() -> str:
    """Return the language of this run."""
    return _LANGUAGE.get() or language_of_locale()


def said(text: str) -> str:
    """Return a sentence in the language of this run; what is not in the table, such as a formula, as it is."""
    return in_language(text, language())


def said_error(error: GradTheoryError) -> str:
    """Return what an error says, in the language of this run."""
    return refusal(error, language())


def said_lines(text: str) -> str:
    """Return lines in the language of this run; cells with two spaces or more between them stay below each other."""
    return text if language() == "en" else "\n".join(map(_said_line, text.split("\n")))


def _said_line(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    if whole := translation(line.strip()):
        return indent + whole
    written = indent
    for cell, gap in _CELL.findall(line.strip()):
        chinese = said(cell)
        missing = columns(cell + gap) - columns(chinese)
        written += chinese + (" " * max(missing, 1) if gap else "")
    return written.rstrip()
