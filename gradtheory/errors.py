"""The errors gradtheory raises: one family, each message one line that says what would work."""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType

__all__ = ["GradTheoryError", "InvalidArgument", "MissingDependency", "MissingProgram", "NoClosedForm", "Undecided"]


_LONGEST_VALUE, _LONGEST_MESSAGE = 80, 399
CALLED_ELSEWHERE = MappingProxyType(
    {
        "bce": "cross_entropy", "mse": "squared", "momentum": "heavy_ball", "nag": "nesterov",
        "sgd": "gradient_descent",
    }
)  # fmt: skip


class GradTheoryError(Exception):
    """Base class of every error that gradtheory raises on purpose."""

    def __str__(self) -> str:
        return _line(super().__str__(), _LONGEST_MESSAGE)


class InvalidArgument(GradTheoryError, ValueError):
    """An argument breaks a rule.

    Parameters
    ----------
    name : str
        The argument's name, as the caller wrote it.
    value : object
        What was passed; shown shortened.
    rule : str
        The rule, and what would work.

    Examples
    --------
    >>> print(InvalidArgument("threshold", -1, "must be positive, such as 1"))
    threshold = -1: must be positive, such as 1

    """

    def __init__(self, name: str, value: object, rule: str) -> None:
        super().__init__(name, value, rule)
        self.name, self.value, self.rule = name, value, rule

    def __str__(self) -> str:
        return _line(f"{self.name} = {_shown(self.value)}: {self.rule}", _LONGEST_MESSAGE)


class NoClosedForm(GradTheoryError, NotImplementedError):
    """The record of an activation holds no closed form of what was asked."""


class Undecided(GradTheoryError, ArithmeticError):
    """Ball arithmetic could not decide the question at the precision allowed."""


class MissingDependency(GradTheoryError, ImportError):
    """A library that gradtheory installs only with one of its extras is not there.

    Parameters
    ----------
    library : str
        The library's name, as it is imported.
    extra : str
        The extra that brings it.

    Examples
    --------
    >>> print(MissingDependency("matplotlib", "plots"))
    needs matplotlib: pip install "gradtheory[plots]"

    """

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(library, extra)
        self.library, self.extra = library, extra

    def __str__(self) -> str:
        return f'needs {self.library}: pip install "gradtheory[{self.extra}]"'


class MissingProgram(GradTheoryError, RuntimeError):
    """A program that is asked for is not installed, or has failed."""


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Import libraries of an extra: where one is missing, MissingDependency names the extra.

    Examples
    --------
    >>> with extra("plots"):
    ...     from matplotlib.axes import Axes

    """
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library in ("", "gradtheory"):
            raise
        raise MissingDependency(library, name) from None


class _PublicModule(ModuleType):
    """A module whose `dir` is `__all__`, and which names the nearest of these where it has no such name."""

    __all__: list[str]

    def __dir__(self) -> list[str]:
        return list(self.__all__)

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        raise no_such(name, self.__name__.rpartition(".")[2], self.__all__)


def public(module: str) -> None:
    """Make the module of a name show its `__all__` alone, and name the nearest where an attribute is misspelt.

    This is a class of modules and no `__getattr__` in each, which would hide misspelt names from type checkers.
    """
    sys.modules[module].__class__ = _PublicModule


def nearest(word: str, choices: Sequence[str]) -> str | None:
    """Return the choice that is spelt most like a word, or is called so elsewhere; None where none is."""
    from difflib import get_close_matches

    other = CALLED_ELSEWHERE.get(word.lower())
    return other if other in choices else next(iter(get_close_matches(word[:40].lower(), choices, n=1)), None)


def no_such(name: str, module: str, names: Sequence[str]) -> AttributeError:
    """Return the error of a name that a module does not have.

    Examples
    --------
    >>> no_such("chj", "meanfield", ["chi", "gain"])
    AttributeError("meanfield has no 'chj'; the nearest is 'chi'")

    """
    near = nearest(name, names)
    meant = "" if near is None else f"; the nearest is {near!r}"
    return AttributeError(f"{module} has no {name!r}{meant}", name=name)


def in_a_module(name: str) -> AttributeError | None:
    """Return the error of a name that one of gradtheory's public modules has; None if none has it.

    Examples
    --------
    >>> in_a_module("edge_of_chaos")
    AttributeError("gradtheory has no 'edge_of_chaos': it is gradtheory.meanfield.edge_of_chaos")

    """
    package = Path(__file__).parent
    written = re.compile(rf"\b{re.escape(name)}\b")
    stub = package.joinpath("__init__.pyi").read_text(encoding="utf-8")
    for wing, module in re.findall(r"^from \.(\S*) import ([a-z_]+) as", stub, flags=re.MULTILINE):
        place = package.joinpath(*wing.split("."), module)
        sources = place.rglob("*.py") if place.is_dir() else place.parent.glob(f"{module}.py")
        if any(written.search(source.read_text(encoding="utf-8")) for source in sources):
            with suppress(MissingDependency):
                path = ".".join(("gradtheory", *wing.split("."), module)).replace("..", ".")
                if name in getattr(import_module(path), "__all__", ()):
                    return AttributeError(f"gradtheory has no {name!r}: it is gradtheory.{module}.{name}", name=name)
    return None


def _shown(value: object) -> str:
    """Return a one-line representation of bounded length; a value that cannot be shown is named by its type."""
    try:
        text = repr(value)
    except Exception:  # a foreign __repr__ may fail in any way, and an integer may be too long to print
        text = f"<{type(value).__name__}>"
    return _line(text, _LONGEST_VALUE)


def _line(text: str, longest: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


public(__name__)
