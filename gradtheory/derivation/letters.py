"""Letters that a reader wants in place of x, y, w and b: read, and refused where they stand for something else."""

import re
from collections.abc import Iterable, Mapping, Set

from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.kinds import read_mapping
from gradtheory.errors import InvalidArgument
from gradtheory.formulas.text import GREEK

_OFTEN_FREE = ("g", "h", "N", "P", "Q", "theta", "omega", "psi", "phi", "mu")
_LETTERS = ("x", "y", "w", "b")  # that may be written otherwise
_TAKEN = frozenset("acdefklmnpqrstuvzABCDGHKLMTUVWX") | {"delta", "sigma"}
_WORDS = re.compile(r"\\(?:operatorname|text|mathrm)\{[^}]*\}")
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_SINGLE = re.compile(r"(?<![A-Za-z])[A-Za-z](?![A-Za-z])")


def read_letters(letters: Mapping[str, str] | None) -> Mapping[str, str]:
    """Return what is written for letters of symbols, checked: no two quantities may have one."""
    if letters is None:
        return {}
    read = read_mapping(letters, "letters", "must be a mapping such as {'w': 'theta'}")
    for old, new in read.items():
        one_of(old, "letters", _LETTERS)
        if not isinstance(new, str) or not (re.fullmatch("[A-Za-z]", new) or new in GREEK):
            rule = "must be one letter, or the name of a Greek one such as 'theta'"
            raise InvalidArgument(f"letters[{old!r}]", new, rule)
        if new in _TAKEN or new in (read.get(other, other) for other in _LETTERS if other != old):
            raise _taken(old, new)
    return read


def refuse_taken(letters: Mapping[str, str], written: Iterable[str]) -> None:
    """Raise InvalidArgument for a letter that stands for something else in a derivation, written in LaTeX."""
    used = {name for latex in written for name in _names(latex)} - letters.keys()
    for old, new in letters.items():
        if new in used:
            raise _taken(old, new, used | letters.keys())


def _names(latex: str) -> set[str]:
    r"""Return the single letters and the Greek ones in a formula.

    Examples
    --------
    >>> sorted(_names(r"\operatorname{erf}(\pi z_1) + E[\sigma'^2]"))
    ['E', 'pi', 'sigma', 'z']

    """
    bare = _WORDS.sub(" ", latex)
    return set(_COMMAND.findall(bare)) & GREEK.keys() | set(_SINGLE.findall(_COMMAND.sub(" ", bare)))


def _taken(old: str, new: str, used: Set[str] = frozenset()) -> InvalidArgument:
    free = ", ".join(name for name in _OFTEN_FREE if name not in used)
    rule = f"stands for something else already: free are letters such as {free}"
    return InvalidArgument(f"letters[{old!r}]", new, rule)
