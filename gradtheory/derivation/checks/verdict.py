"""What became of the check of a statement."""

from dataclasses import dataclass
from enum import Enum


class Check(Enum):
    """How a statement was shown to be true; the value is the word that is printed."""

    EXACT = "exact"  # proven by algebra
    CERTIFIED = (
        "certified"  # decided in ball arithmetic, from proven branches, or a theorem whose conditions are proven
    )
    NUMERIC = "numeric"  # true to 50 digits at sample points


@dataclass(frozen=True)
class Verdict:
    """Whether a statement is true, and how that was shown.

    Parameters
    ----------
    is_true : bool or None
        None where it was not decided.
    check : Check, optional
        How a true statement was shown.
    reason : str
        Why a statement is false or undecided.

    """

    is_true: bool | None
    check: Check | None = None
    reason: str = ""

    @property
    def status(self) -> str:
        """One word: exact, certified or numeric for a true statement, else unknown or false."""
        if self.check is not None:
            return self.check.value
        return "unknown" if self.is_true is None else str(self.is_true).lower()


EXACT, CERTIFIED, NUMERIC = (Verdict(True, check) for check in Check)


def false(reason: str = "") -> Verdict:
    """Return the verdict on a statement that was refuted."""
    return Verdict(False, reason=reason)


def unknown(reason: str = "") -> Verdict:
    """Return the verdict on a statement that could not be decided."""
    return Verdict(None, reason=reason)
