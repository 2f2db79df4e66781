"""All words of the documents, one file for each language: Python holds none."""

import functools
import os
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import jinja2

LANGUAGES = ("en", "zh")
_VALUES = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701  # prose, escaped later


@functools.cache
def words(lang: str) -> Mapping[str, Any]:
    """Return the message catalogue of a language: prose with $formulas$, *emphasis* and {{ values }}."""
    found: Mapping[str, Any] = tomllib.loads(files(__name__).joinpath(f"{lang}.toml").read_text(encoding="utf-8"))
    return found


def filled(prose: str, values: Mapping[str, Any]) -> str:
    """Return prose with its values filled in."""
    return _VALUES.from_string(prose).render(values)


def language_of_locale(environment: Mapping[str, str] = os.environ) -> str:
    """Return the language that the locale asks for, English where it is none of ours.

    Examples
    --------
    >>> language_of_locale({"LANG": "zh_CN.UTF-8"}), language_of_locale({"LC_ALL": "de_DE"}), language_of_locale({})
    ('zh', 'en', 'en')

    """
    named = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return next((lang for lang in LANGUAGES if named.startswith(lang)), "en")
