"""Sentences of the command line and refusals of the library, in another language than that of the source.

A key of zh.toml is a sentence in English; {} in it stands for a name or another sentence of it, {#} for a number.
"""

import functools
import re
from pathlib import Path

from gradtheory.errors import GradTheoryError, InvalidArgument

_PLACE = re.compile(r"(\{#?\})")
_PROSE = re.compile(r"(?<![\w'/.*-])[a-z]{2,} [a-z]{2,}(?![\w'*(-])")  # two words of English, none of a formula
_OF_PYTHON = (  # and what stands for it in a shell and on a page
    (r"(?: as text)?, such as 7, 0\.3, '0\.3', '3/10' or sympy\.sqrt\(2\)", ", such as 7, 0.3 or 3/10"),
    (r", or a SymPy symbol such as Symbol\('L', integer=True\)", ""),
    (r" with z = Symbol\('z', real=True\)", ""),
)
_IN_SHELL = (
    (r"pass gradtheory\.expression\((.+)\)", r"write --expr \1"),
    (r"gradtheory\.activation_names\(\) lists", "`gradtheory activations` lists"),
)
_ON_PAGE = ((r"gradtheory\.activation_names\(\) lists", "the page offers"),)


def refusal(error: GradTheoryError, lang: str, *, on_page: bool = False) -> str:
    """Return what an error says, in a language; where the table does not have its rule, that is told in English.

    Whoever types into a shell or a page is told what to write there, and not in Python.

    Examples
    --------
    >>> print(refusal(InvalidArgument("c", "0", "must be positive, such as 1"), "zh"))
    c = '0': 必须为正，如 1

    """
    if not isinstance(error, InvalidArgument):
        return _ruled(" ".join(str(error).split()), lang)
    rule = error.rule
    for python, other in (*_OF_PYTHON, *(_ON_PAGE if on_page else _IN_SHELL)):
        rule = re.sub(python, other, rule)
    name = error.name if error.name.isidentifier() else in_language(error.name, lang)
    return str(InvalidArgument(name, error.value, _ruled(rule, lang)))


def _ruled(rule: str, lang: str) -> str:
    """Return a rule in a language; one that the table does not have is quoted."""
    translated = in_language(rule, lang)
    return f"{in_language('not possible', lang)}（{rule}）" if lang != "en" and translated == rule else translated


def in_language(text: str, lang: str) -> str:
    """Return a sentence in a language; what is not in the table, such as a formula, as it is."""
    return text if lang == "en" else translation(text) or text


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
            if not any(_PROSE.search(part) for part in parts if not part.startswith(("gradtheory ", "`gradtheory "))):
                return chinese.format(*parts)  # a sentence half in English is worse than one in English
    if "; " not in plain:
        return None
    joined = [translation(part) for part in plain.split("; ")]
    return "；".join(filter(None, joined)) if all(joined) else None


@functools.cache
def _table() -> tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]:
    """Return whole sentences, and templates, those that say most first."""
    import tomllib

    text = Path(__file__).with_name("zh.toml").read_text(encoding="utf-8")
    table: dict[str, str] = tomllib.loads(text)
    sentences = {english: chinese for english, chinese in table.items() if not _PLACE.search(english)}
    templates = sorted(table.keys() - sentences.keys(), key=lambda english: (-len(english), english))
    return sentences, [(_pattern(english), table[english]) for english in templates]


def _pattern(english: str) -> re.Pattern[str]:
    places = {"{}": "(.+?)", "{#}": r"([^\s:;,]+)"}
    return re.compile("".join(places.get(part, re.escape(part)) for part in _PLACE.split(english)))
