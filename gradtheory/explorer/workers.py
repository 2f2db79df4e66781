"""Processes that answer questions, so that neither a slow answer nor a hostile text stops the page.

Of questions that wait, only the newest of each kind is answered. A process that takes too long is ended, and another
takes its place.
"""

import contextlib
import multiprocessing
import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from gradtheory.document.messages import fill, words
from gradtheory.document.translation import refusal
from gradtheory.errors import GradTheoryError
from gradtheory.explorer.chain import chain, total
from gradtheory.explorer.export import derivation
from gradtheory.explorer.neuron import neuron, widths
from gradtheory.explorer.phases import phases
from gradtheory.explorer.state import State

_LONGEST_REASON = 300


@dataclass(frozen=True)
class View:
    """A kind of question: what answers it, and the parts of the state that the answer depends on."""

    answer: Callable[[State], Any]
    parts: tuple[str, ...]

    def of(self, state: State) -> tuple[Any, ...]:
        """Return those parts."""
        return tuple(getattr(state, name) for name in self.parts)


_CHAIN = ("activation", "w", "b", "c", "lang")
QUICK: Mapping[str, View] = {
    "neuron": View(neuron, (*_CHAIN, "layer", "x")),
    "chain": View(chain, (*_CHAIN, "x")),
}
SLOW: Mapping[str, View] = {
    "total": View(total, _CHAIN),
    "widths": View(widths, ("activation", "c", "lang")),
    "phases": View(phases, ("activation", "sigma_w", "sigma_b")),
}
_ANSWERS: Mapping[str, Callable[[State], Any]] = {
    **{kind: view.answer for kind, view in {**QUICK, **SLOW}.items()},
    "derivation": derivation,
}


@dataclass(frozen=True)
class Refusal:
    """Why there is no answer."""

    reason: str


def answered(kind: str, state: State) -> Any:
    """Return the answer to a question, or why there is none."""
    try:
        return _ANSWERS[kind](state)
    except GradTheoryError as error:
        return Refusal(refusal(error, state.lang, on_page=True))
    except Exception as error:  # a fault of ours: the page goes on, and says so
        text = f"{type(error).__name__}: {error}"
        return Refusal(fill(words(state.lang)["explorer"]["failed"], {"reason": text[:_LONGEST_REASON]}))


class Workers:
    """A process that answers one question after the other.

    Parameters
    ----------
    seconds : float
        How long an answer may take.

    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: dict[Hashable, tuple[str, State, Callable[[Any], None]]] = {}
        self._changed = threading.Condition()
        self._is_open = True
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def ask(self, asker: Hashable, kind: str, state: State, take: Callable[[Any], None]) -> None:
        """Ask in place of what the same asker still waits for of this kind; `take` is called from another thread."""
        with self._changed:
            self._waiting[asker, kind] = kind, state, take
            self._changed.notify()

    def close(self) -> None:
        """Answer nothing more."""
        with self._changed:
            self._is_open = False
            self._waiting.clear()
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        process, pipe = _started()
        while (question := self._next()) is not None:
            kind, state, take = question
            answer: Any = None
            with contextlib.suppress(EOFError, OSError):  # the process may have been ended from outside
                pipe.send((kind, state))
                answer = pipe.recv() if pipe.poll(self._seconds) else None
            if answer is None:
                process.kill()
                process, pipe = _started()
                answer = Refusal(fill(words(state.lang)["explorer"]["gave_up"], {"seconds": f"{self._seconds:g}"}))
            with contextlib.suppress(Exception):  # of a page that was closed meanwhile, whatever its server says of it
                take(answer)
        process.kill()

    def _next(self) -> tuple[str, State, Callable[[Any], None]] | None:
        """Return the question that has waited longest; None once they are closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or not self._is_open)
            return self._waiting.pop(next(iter(self._waiting))) if self._is_open else None


def _started() -> tuple[Any, Connection]:
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    ours, theirs = context.Pipe()
    process = context.Process(target=_answer_all, args=(theirs,), daemon=True)
    process.start()
    theirs.close()  # of the two ends here, so that the end of the process is the end of the pipe
    with contextlib.suppress(EOFError):  # it ended at once: the first question will show it
        ours.recv()  # that it has imported everything
    return process, ours


def _answer_all(pipe: Connection) -> None:
    """Say when all is imported; then answer until the other end is closed, or the terminal interrupts all."""
    with contextlib.suppress(EOFError, KeyboardInterrupt, BrokenPipeError):
        pipe.send("ready")
        while True:
            pipe.send(answered(*pipe.recv()))
