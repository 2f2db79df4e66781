r"""A second, independent checker of explosion sets: it reads a certificate and believes nothing in it.

It shares no code with the solver that writes certificates: no enclosure by Arb, no branches, no inverses, no SymPy. It
reads expressions itself (never `eval`) and proves every statement from σ(z), w, c alone, in three ways: intervals that
mpmath's low-level numbers round outward, cut until a sign is settled (`intervals`, `signs`); on a tail [R, oo), sums of
scales x^a·e^P(x) whose lesser parts are bounded by their values at R (`tail_arithmetic`); and where two expressions
must be the same, the numerator of their difference in a field of functions (`field`). Agreement at points proves
nothing here. What is not proven within a counted amount of work is *undecided*, and then the certificate is not
verified.

The argument. The domain is cut into cells. On each, σ is a smooth `piece`: Max, Min, Abs, sign and Piecewise are
resolved by the proven signs of their arguments, and the result is the piece in the field. |σ'| is monotone there,
because σ'' = positive·shape and neither factor changes sign; so a cell meets U_t = {z : |σ'(z)| > t}, t = c/|w|, in
nothing, in all of it, or in the part beyond the one crossing, whose bracket is checked by a sign change. Points between
cells belong by the value of |σ'| there, and never where σ has no derivative.

What is claimed of a crossing is that it lies in its bracket, however wide: a certificate says as much about where a
component ends as its brackets do.

Certificates of chains are of another kind, described in `gradtheory.checker.chain_schema`.

Format ``gradtheory-certificate/1``: a JSON object with exactly these fields.

``format``
    ``"gradtheory-certificate/1"``.
``claim``
    ``kind`` (``"explosion set"``), ``activation`` (a name in the catalogue, whose expression the next field must be as
    ``str`` prints it; or null), ``expression`` (σ in z), ``weight``, ``bias``, ``threshold`` (numbers as text, exact),
    ``strict`` (true for >, false for >=). The set is stated in z, so the bias takes no part in it.
``method``
    ``"certified"`` or ``"closed_form"``: how the solver found the ends. Nothing rests on it.
``domain``
    Two ends, each ``"-oo"``, ``"oo"`` or an exact number as text. The set is proven on the open interval between them.
``cells``
    From left to right, each with ``left``, ``right``, ``piece``, ``sign``, ``rises``, ``positive``, ``shape``.
    An end is as in the domain, or ``["p/q", "p/q"]``: the only zero inside of what switches there if the two pieces
    differ, else of σ' if the signs differ, else of ``shape``. Neighbours repeat their common end as it is, and have
    the same ``shape`` if it is a zero of it. ``sign`` is that of σ' on the open cell, ``rises`` says whether |σ'|
    increases; where σ' is constant, ``rises``, ``positive`` and ``shape`` are null. ``piece``, ``positive`` and
    ``shape`` are written without Max, Min, Abs, sign and Piecewise, and have no singularity in the open cell.
``crossings``
    At most one a cell, in order: ``cell``, ``lower``, ``upper`` (rational numbers as text, the bracket; both may be
    equal to a rational crossing).
``components``
    In increasing order: ``lower``, ``upper``, ``lower_open``, ``upper_open``. A bound is ``"-oo"``, ``"oo"``,
    ``{"crossing": i}`` or ``{"end": j}``, the right end of cell j, or for j = -1 the left end of the domain. Ends at
    infinity and at the ends of the domain are open; a point has the same bound twice, closed.
``tails``
    ``left`` and ``right``: ``{"argument": "monotone"}`` where the domain is infinite; ``{"argument": "period"}``, both,
    where its length is a period of |σ'|, so that the set repeats: the components are about the open periods, and of
    the points between them the verdict says whether they belong; ``{"argument": "limit", "limit": text,
    "assumes": text}`` where nothing is claimed from that end of the domain on, the end included. The two texts are the
    solver's notes on what happens there; they are neither believed nor repeated.
``status``
    ``"proven"`` if the domain is the whole line or a period, else ``"proven on the domain"``.

Rational numbers are in lowest terms, such as ``"-3/4"`` or ``"2"``: one spelling for one number.

Expressions: integers without leading zeros, ``+ - * / **``, ``z pi E``, ``exp log sqrt sin cos tan sinh cosh tanh sech
coth asinh acosh atanh atan erf erfc``; in ``claim.expression`` also ``Max Min Abs sign`` and ``Piecewise((value,
condition), ..., (value, True))`` with conditions of ``< <= > >= Eq & |``. At most 10,000 characters, nested at most 60
deep (a sum of many parts is not deep), powers up to 1,000.
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradtheory.checker.cells import Rejected
from gradtheory.checker.chain import verify_chain
from gradtheory.checker.chain_schema import is_of_chain, parse_chain
from gradtheory.checker.file import load
from gradtheory.checker.schema import FORMAT, parse
from gradtheory.checker.terms import Malformed
from gradtheory.checker.verify import verify
from gradtheory.errors import InvalidArgument, Undecided, public

__all__ = ["FORMAT", "Report", "check", "read"]


public(__name__)


_LONGEST_REASON = 200
_LONGEST_END = 40


@dataclass(frozen=True)
class Report:
    """The outcome of a check.

    Parameters
    ----------
    ok : bool
        Whether every statement of the certificate was proven.
    verdict : str
        "verified on the whole line", or "verified on [-64, 64]; nothing is claimed beyond" with the domain of the
        certificate, or "verified on (-pi, pi) and all its periods; the points between them belong too" (or: "nothing is
        claimed of …") where components reach to the ends of a period, or "not verified".
    reason : str or None
        One line that names the first statement that was not proven: "rejected: …" if it is false or malformed,
        "undecided: …" if neither it nor its opposite was proven within a bounded amount of work.

    """

    ok: bool
    verdict: str
    reason: str | None = None

    def _repr_html_(self) -> str:
        lines = self.verdict if self.reason is None else f"{self.verdict}: {self.reason}"
        return f"<p>{html.escape(lines)}</p>"


def check(certificate: Mapping[str, Any]) -> Report:
    """Check a certificate, from σ(z), w and c alone.

    Parameters
    ----------
    certificate : Mapping
        The JSON object described in `gradtheory.checker`; nothing in it is trusted.

    Returns
    -------
    Report
        Never an exception: what cannot be decided within a bounded amount of work is not verified.

    Examples
    --------
    relu with w = 8: the factor exceeds 1 wherever z > 0.

    >>> left = {"left": "-oo", "right": "0", "piece": "0", "sign": 0, "rises": None, "positive": None, "shape": None}
    >>> right = {**left, "left": "0", "right": "oo", "piece": "z", "sign": 1}
    >>> relu = {
    ...     "format": "gradtheory-certificate/1",
    ...     "claim": {"kind": "explosion set", "activation": "relu", "expression": "Max(0, z)", "weight": "8",
    ...               "bias": "0", "threshold": "1", "strict": True},
    ...     "method": "certified",
    ...     "domain": ["-oo", "oo"],
    ...     "cells": [left, right],
    ...     "crossings": [],
    ...     "components": [{"lower": {"end": 0}, "upper": "oo", "lower_open": True, "upper_open": True}],
    ...     "tails": {"left": {"argument": "monotone"}, "right": {"argument": "monotone"}},
    ...     "status": "proven",
    ... }
    >>> check(relu)
    Report(ok=True, verdict='verified on the whole line', reason=None)
    >>> check({**relu, "components": []})
    Report(ok=False, verdict='not verified', reason='rejected: components: 0 stated, 1 proven')

    """
    between: bool | None = False
    try:
        if is_of_chain(certificate):
            verify_chain(parse_chain(certificate), _formula_in_the_catalogue)
        else:
            between = verify(parse(certificate), _formula_in_the_catalogue)
    except (Malformed, Rejected) as error:
        return Report(False, "not verified", _line(f"rejected: {error}"))
    except Undecided as error:
        return Report(False, "not verified", _line(f"undecided: {error}"))
    except (ArithmeticError, ValueError, RecursionError, MemoryError) as error:
        return Report(False, "not verified", _line(f"undecided: {type(error).__name__}"))
    return Report(True, _line(_proven(certificate, between)))


def read(path: str | Path) -> dict[str, Any]:
    """Return the JSON object in a file, to be checked.

    Parameters
    ----------
    path : str or Path
        A file of at most 10 MB.

    Raises
    ------
    InvalidArgument
        If it cannot be read or is no JSON object.

    """
    return load(path)


def _formula_in_the_catalogue(name: str) -> str:
    """Return the expression of an activation as text: all that the checker takes from the rest of the package."""
    from gradtheory.activations import activation  # not at the top: the rest of the checker works without it

    record = activation(name)
    if record.name != name:
        raise InvalidArgument("activation", name, f"is spelled {record.name}")
    return str(record.expr)


def _proven(certificate: Mapping[str, Any], between: bool | None) -> str:
    """Return where the set of a verified certificate is proven; `between` is what `verify` returns."""
    if is_of_chain(certificate) or (certificate["status"] == "proven" and between is False):
        return "verified on the whole line"
    left, right = (end if len(end) <= _LONGEST_END else "…" for end in certificate["domain"])
    if between is not False:
        rest = "the points between them belong too" if between else "nothing is claimed of the points between them"
        return f"verified on ({left}, {right}) and all its periods; {rest}"
    return f"verified on [{left}, {right}]; nothing is claimed beyond"


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"
