"""The JSON object in the file of a certificate, read strictly."""

import json
from pathlib import Path
from typing import Any

from gradtheory.errors import InvalidArgument

_LARGEST_FILE = 10_000_000  # bytes
_LONGEST_INTEGER = 100  # digits


def load(path: Any) -> dict[str, Any]:
    """Return the JSON object in a file of at most 10 MB; names must not repeat and numbers must be finite."""
    name = str(path) if isinstance(path, Path) else path
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except (OSError, TypeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise InvalidArgument("path", name, f"cannot be read: {reason}") from None
    if len(content) > _LARGEST_FILE:
        raise InvalidArgument("path", name, f"must be a file of at most {_LARGEST_FILE} bytes")
    try:
        data = json.loads(
            content.decode("utf-8"), object_pairs_hook=_without_repetition, parse_constant=_no_number, parse_int=_number
        )
    except (ValueError, RecursionError) as error:
        raise InvalidArgument("path", name, f"is not JSON: {_why_no_json(error)}") from None
    if not isinstance(data, dict):
        raise InvalidArgument("path", name, "must hold a JSON object")
    return data


def _why_no_json(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return f"line {error.lineno} cannot be read from character {error.colno} on"
        case UnicodeDecodeError():
            return "it is no text in UTF-8"
    return "it is nested too deep" if isinstance(error, RecursionError) else str(error)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name is repeated in an object")
    return fields


def _number(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:  # of certificates all are short: a format, places in lists
        raise ValueError("a number in it is too long")
    return int(text)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of it")
