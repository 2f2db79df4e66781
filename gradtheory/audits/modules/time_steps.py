"""What becomes of the gradient through the time steps of recurrent modules, and the steps of loops of one's own."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from gradtheory.audits.modules.call import Call
from gradtheory.audits.modules.scales import OF_THE_LAST, recurrent_scale
from gradtheory.audits.report.summary import called
from gradtheory.audits.verdict.judge import through_time


class TimeSteps(NamedTuple):
    """The recurrent module through whose time the gradient changes most, and what is worth knowing of all.

    Attributes
    ----------
    loop : tuple of str, float, int and str, or None
        Its name, the logarithm of the factor, the steps, and by what that gradient is.
    recurrent : str
        How large its recurrent weights are.
    is_read_early : bool
        Whether that which enters last alone fades: all of the gradient does not, as early steps are read, too.
    remarks : dict of str to str
        Of all of which the same is true, and of loops, by the names of the parts that they belong to.

    """

    loop: tuple[str, float, int, str] | None
    recurrent: str
    is_read_early: bool
    remarks: dict[str, str]

    @classmethod
    def of(cls, calls: Sequence[Call], parts: Sequence[Call], module: Any) -> "TimeSteps":
        """Return what the calls of a module tell of time; those count first that fade as a whole."""
        loops = [(call, loop) for call in calls if (loop := call.through_time) is not None]
        early = [call for call, _ in loops if call.unrolled is not None and call.unrolled.is_read_early]
        last, loop = max(loops, key=lambda each: (each[0] not in early, abs(each[1][1])), default=(None, None))
        faded = [(call, loop[1:3]) for call, loop in loops if call in early]
        faded += [(call, call.faded) for call in calls if call.faded is not None]
        remarks: dict[str, str] = {}
        for call, (size, steps) in faded:
            part = next((part for part in parts if f"{call.name}.".startswith(f"{part.name}.")), call)
            where = "" if part.name == call.name else f"in {called(call.name)}, "
            if (told := through_time(call.name, size, steps)) is not None:
                remarks[part.name or part.kind] = f"{where}{told.cause}; {OF_THE_LAST}"
        return cls(loop, "" if last is None else recurrent_scale(module, last), last in early, remarks)
