"""What a command shows while it works: on a terminal only, on stderr, and after a second."""

import sys
import threading
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from gradtheory.cli.words import said

_T = TypeVar("_T")
_PATIENCE = 1.0  # seconds


class _Spinner:
    """A line that turns, with what is done and the seconds that it has taken; nothing before a second has passed."""

    def __init__(self, what: str) -> None:
        self._what, self._lock, self._progress = what, threading.Lock(), None
        self._is_over = False
        self._timer = threading.Timer(_PATIENCE, self._begin)
        self._timer.daemon = True
        self._timer.start()

    def _begin(self) -> None:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        with self._lock:
            if self._is_over:
                return
            columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            progress: Any = Progress(*columns, console=Console(stderr=True), transient=True)
            progress.add_task(self._what)
            progress.start()
            self._progress = progress

    def says(self, what: str) -> None:
        """Say what is done now."""
        self._what = what
        if self._progress is not None:
            self._progress.update(self._progress.task_ids[0], description=what)

    def end(self) -> None:
        """Leave the line as it was."""
        self._timer.cancel()
        with self._lock:
            self._is_over = True
            if self._progress is not None:
                self._progress.stop()


_SPINNER: ContextVar[_Spinner | None] = ContextVar("spinner", default=None)


@contextmanager
def working() -> Iterator[None]:
    """Show that something is being done, where somebody looks, until it is done or `quiet` is called."""
    _SPINNER.set(_Spinner(said("computing")) if sys.stderr.isatty() else None)
    try:
        yield
    finally:
        quiet()


def quiet() -> None:
    """Show nothing more: the result is about to be printed."""
    if (spinner := _SPINNER.get()) is not None:
        spinner.end()
        _SPINNER.set(None)


def counted(items: Iterable[_T], what: str) -> Iterator[_T]:
    """Go through items, and show how many are done."""
    number = f"/{len(items)}" if isinstance(items, Sized) else ""
    for count, item in enumerate(items, start=1):
        if (spinner := _SPINNER.get()) is not None:
            spinner.says(f"{said(what)} {count}{number}")
        yield item
