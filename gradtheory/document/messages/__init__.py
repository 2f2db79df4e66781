"""All words of the documents, one file for each language: Python holds none."""

import functools
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "zh")
_PLACE = re.compile(r"\{\{ (\w+) \}\}")


@functools.cache
def words(lang: str) -> Mapping[str, Any]:
    """Return the message catalogue of a language: prose with $formulas$, *emphasis* and {{ values }}."""
    import tomllib  # here, because the command line names the languages and mostly speaks English

    return tomllib.loads(Path(__file__).with_name(f"{lang}.toml").read_text(encoding="utf-8"))


def fill(prose: str, values: Mapping[str, object]) -> str:
    """Return prose with a value for each of its places.

    Examples
    --------
    >>> fill("$K$ is {{ width }} at {{ weight }}", {"width": 0.45, "weight": 6.9})
    '$K$ is 0.45 at 6.9'

    """
    return _PLACE.sub(lambda match: str(values[match[1]]), prose).removesuffix("\n")


def paragraph(sentences: Iterable[str], catalogue: Mapping[str, Any]) -> str:
    """Return sentences one after the other, with the space that the language has between them.

    Examples
    --------
    >>> paragraph(["一。", "二。"], words("zh")), paragraph(["One.", "Two."], words("en"))
    ('一。二。', 'One. Two.')

    """
    both = catalogue["document"]["two_sentences"]
    return functools.reduce(lambda one, other: fill(both, {"one": one, "other": other}), sentences)


def language_of_locale(environment: Mapping[str, str] = os.environ) -> str:
    """Return the language that the locale asks for, English where it is none of ours.

    Examples
    --------
    >>> language_of_locale({"LANG": "zh_CN.UTF-8"}), language_of_locale({"LC_ALL": "de_DE"}), language_of_locale({})
    ('zh', 'en', 'en')

    """
    named = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return next((lang for lang in LANGUAGES if named.startswith(lang)), "en")
