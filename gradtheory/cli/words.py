"""The words of the command line: English where they are said, Chinese in one table.

A key of zh.toml is a sentence in English; {} in it stands for a name or another sentence of it, {#} for a number.
"""

import functools
import re
import tomllib
from collections.abc import Sequence
from contextvars import ContextVar
from importlib.resources import files

from gradtheory.document.messages import LANGUAGES, language_of_locale
from gradtheory.document.wrapping import columns
from gradtheory.errors import GradTheoryError, InvalidArgument

_LANGUAGE: ContextVar[str | None] = ContextVar("language", default=None)
_PLACE = re.compile(r"(\{#?\})")
_PROSE = re.compile(r"(?<![\w'/.*-])[a-z]{2,} [a-z]{2,}(?![\w'*(-])")  # two words of English, none of a formula
_CELL = re.compile(r"(.*?)(\s{2,}|$)")


def listen(arguments: Sequence[str]) -> None:
    """Speak the language that arguments ask for by --lang, wherever it stands; otherwise that of the locale."""
    asked = None
    for place, argument in enumerate(arguments):
        option, equals, value = argument.partition("=")
        if option == "--lang":
            asked = value if equals else "".join(arguments[place + 1 : place + 2])
    _LANGUAGE.set(asked if asked in LANGUAGES else None)


def language() -> str:
    """Return the language of this run."""
    return _LANGUAGE.get() or language_of_locale()


def said(text: str) -> str:
    """Return a sentence in the language of this run; what is not in the table, such as a formula, as it is."""
    return text if language() == "en" else translation(text) or text


def said_error(error: GradTheoryError) -> str:
    """Return what an error says, in the language of this run; in English where the table does not have its rule.

    Whoever types numbers into a shell is told of numbers only, and not of SymPy's.
    """
    if not isinstance(error, InvalidArgument):
        return said(" ".join(str(error).split()))
    rule = error.rule.replace(" as text, such as 7, 0.3, '0.3', '3/10' or sympy.sqrt(2)", ", such as 7, 0.3 or 3/10")
    return str(InvalidArgument(error.name, error.value, said(rule)))


def said_lines(text: str) -> str:
    """Return lines in the language of this run; cells with two spaces or more between them stay below each other."""
    return text if language() == "en" else "\n".join(map(_said_line, text.split("\n")))


@functools.cache
def translation(text: str) -> str | None:
    """Return a sentence in Chinese; None where the table has none."""
    plain = " ".join(text.split())
    sentences, templates = _table()
    if plain in sentences:
        return sentences[plain]
    for pattern, chinese in templates:
        if match := pattern.fullmatch(plain):
            parts = [translation(part) or part for part in match.groups()]
            if not any(_PROSE.search(part) for part in parts if not part.startswith("gradtheory ")):
                return chinese.format(*parts)  # a sentence half in English is worse than one in English
    return None


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


@functools.cache
def _table() -> tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]:
    """Return whole sentences, and templates, those that say most first."""
    text = files("gradtheory.cli").joinpath("zh.toml").read_text(encoding="utf-8")
    table: dict[str, str] = tomllib.loads(text)
    sentences = {english: chinese for english, chinese in table.items() if not _PLACE.search(english)}
    templates = sorted(table.keys() - sentences.keys(), key=lambda english: (-len(english), english))
    return sentences, [(_pattern(english), table[english]) for english in templates]


def _pattern(english: str) -> re.Pattern[str]:
    places = {"{}": "(.+?)", "{#}": r"([^\s:;,]+)"}
    return re.compile("".join(places.get(part, re.escape(part)) for part in _PLACE.split(english)))
