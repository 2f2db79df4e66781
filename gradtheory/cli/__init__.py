"""The command line: it reads arguments, calls the library and prints; it computes nothing."""

import atexit
import gc
import sys
from collections.abc import Sequence

from gradtheory.errors import MissingDependency, extra

__all__ = ["main"]

_ALLOCATIONS = 100_000  # until garbage is looked for: what SymPy makes when it is imported stays


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code: 0, or 2 with one line on bad input or without the extra `cli`."""
    gc.set_threshold(_ALLOCATIONS)
    atexit.register(gc.freeze)  # the end of the process frees all: no need to look for garbage once more
    try:
        with extra("cli"):
            from gradtheory.cli.commands import run
    except MissingDependency as error:
        print(f"gradtheory: {error}", file=sys.stderr)
        return 2
    return run(arguments)
