"""Random activations of one's own: their explosion sets against difference quotients of σ, and what hangs on them.

    python -m tests.explosion.own_fuzz --cases 500 --seed 1 --save build/fuzz_1.json
    python -m tests.explosion.own_fuzz --table build/fuzz_*.json
    python -m tests.explosion.own_fuzz --seed 1 --case 17

Each case is one set. It is held against the oracle, against its width, against the set of the same function written in
other words, and against the critical weight; its certificate goes to the checker. The table counts what is wrong, undecided,
refused, hung, and gives the processor time of the sets. Every third weight is beside a local extremum of the slope.
"""

import argparse
import json
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import sympy

import gradtheory as gt
from gradtheory.arithmetic.enclosure import enclose, sign
from gradtheory.checker import check
from gradtheory.errors import GradTheoryError, Undecided
from gradtheory.explosion.superlevel import Periodic, components_of, total_length
from tests.explosion.own_expressions import FAMILIES, in_other_words, number, question
from tests.explosion.own_oracle import extreme_size, wrong_point

OUTCOMES = ("right", "wrong", "undecided", "refused", "hung")
_MOST_SECONDS = 60  # of processor time for one answer
_SLOW = 3
_SHARES = (0.5, 0.9, 0.95)


class TooLong(BaseException):
    """An answer has taken its time; no `except Exception` between holds it up."""


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise TooLong after so many seconds of processor time, where the system can."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@dataclass(frozen=True)
class Result:
    """What came of one case.

    Parameters
    ----------
    case : int
        Its number; with the seed it gives the case again.
    family : str
    outcome : str
        One of `OUTCOMES`.
    seconds : float
        Processor time until the set was there or was refused.
    text : str
        What is wrong, or why there is no set.
    certificate : str
        "verified", "not verified", "not written", "hung", or "" where there is none.
    reason : str
        Why it is not verified.
    tried : int
        Points at which the set was tried.
    critical : str
        "decided", "undecided" or "hung": whether the critical weight, which rests on all monotone branches, is known.

    """

    case: int
    family: str
    outcome: str
    seconds: float
    text: str = ""
    certificate: str = ""
    reason: str = ""
    tried: int = 0
    critical: str = ""


def beside_an_extremum(expr: sympy.Expr, rng: random.Random) -> sympy.Rational | None:
    """Return a weight whose level lies within 1e-6 of a local extremum of |σ'|, None where none is met."""
    size = extreme_size(rng, expr)
    return None if size is None else 1 / size * (1 + rng.choice((1, -1)) * number(rng, -9, -6))


def one(seed: int, case: int, certify: int = 1) -> Result:
    """Return what comes of one case; of every so many the critical weight and the certificate are tried too."""
    rng = random.Random(f"{seed} {case}")
    family, expr, w = question(rng)
    try:
        return _tried(rng, Result(case, family, "right", 0.0), expr, w, certify)
    except Exception as error:  # whatever else is raised is a fault, and counted
        return Result(case, family, "wrong", 0.0, f"explosion_set({expr}, w={w}) raised {error!r}")


def _tried(rng: random.Random, result: Result, expr: sympy.Expr, w: sympy.Rational, certify: int) -> Result:
    if result.case % 3 == 0:
        w = beside_an_extremum(expr, rng) or w
    start = time.process_time()
    try:
        with _limited(_MOST_SECONDS):
            explosion = gt.explosion_set(expr, w)
    except TooLong:
        return replace(result, outcome="hung", seconds=time.process_time() - start, text=f"{expr}, w={w}")
    except GradTheoryError as error:
        outcome = "undecided" if isinstance(error, Undecided) else "refused"
        seconds, text = time.process_time() - start, f"{expr}, w={w}: {error}"
        return replace(result, outcome=outcome, seconds=seconds, text=text)
    seconds = time.process_time() - start
    tried, x = wrong_point(rng, expr, explosion, w)
    text = "" if x is None else f"about x = {x}"
    text = text or _differs_from_width(expr, explosion, w) or _differs_in_other_words(rng, expr, explosion, w)
    critical = certificate = reason = ""
    if result.case % certify == 0:
        critical, difference = _compared_with_critical_weight(expr, explosion, w)
        text = text or difference
        certificate, reason = _certified(expr, w)
    if text:
        text = f"explosion_set({expr}, w={w}) = {explosion} {text}"
    outcome = "wrong" if text else "right"
    return Result(result.case, result.family, outcome, seconds, text, certificate, reason, tried, critical)


def _differs_from_width(expr: sympy.Expr, explosion: sympy.Set, w: sympy.Rational) -> str:
    """Return how a set differs from its width, or nothing."""
    width = gt.explosion_width(expr, w)
    # SymPy's measure of a union intersects every two of its parts, which is for ever where there are thousands
    measure = explosion.measure if isinstance(explosion, Periodic) else total_length(components_of(explosion))
    is_same = width == measure or abs(enclose(width - measure, 256)) < 1e-20
    return "" if is_same else f"has not the width {width}"


def _compared_with_critical_weight(expr: sympy.Expr, explosion: sympy.Set, w: sympy.Rational) -> tuple[str, str]:
    """Return whether the critical weight is decided, and how a set contradicts it, or nothing."""
    try:
        with _limited(_MOST_SECONDS):
            critical = gt.critical_weight(expr)
            side = -1 if critical is sympy.oo else sign(abs(w) - critical)
            is_right = (side > 0) == (explosion is not sympy.S.EmptySet)
            return "decided", "" if is_right else f"contradicts the critical weight {critical}"
    except TooLong:
        return "hung", ""
    except Undecided:
        return "undecided", ""


def _differs_in_other_words(rng: random.Random, expr: sympy.Expr, explosion: sympy.Set, w: sympy.Rational) -> str:
    """Return where the set of the same function, written otherwise, is another, or nothing."""
    other = in_other_words(expr, rng)
    if other == expr:
        return ""
    try:
        with _limited(_MOST_SECONDS):
            _, x = wrong_point(rng, expr, gt.explosion_set(other, w), w)
    except (TooLong, Undecided):
        return ""
    return "" if x is None else f"is not that of {other} about x = {x}"


def _certified(expr: sympy.Expr, w: sympy.Rational) -> tuple[str, str]:
    """Return what the checker says of the certificate of a set, and why."""
    try:
        with _limited(_MOST_SECONDS):
            report = check(gt.certificate(expr, w))
    except TooLong:
        return "hung", f"{expr}, w={w}"
    except Undecided as error:
        return "not written", f"{expr}, w={w}: {error}"
    return ("verified", "") if report.ok else ("not verified", f"{expr}, w={w}: {report.reason}")


def run(cases: Iterable[int], seed: int, certify: int = 1) -> list[Result]:
    """Return what comes of some cases."""
    return [one(seed, case, certify) for case in cases]


def _told(cases: Iterable[int], seed: int, certify: int, save: Path | None) -> list[Result]:
    """Return the same, and print on the way what is not right, or slow; what there is by then is saved."""
    results: list[Result] = []
    for case in cases:
        result = one(seed, case, certify)
        results.append(result)
        if (
            result.outcome != "right"
            or result.reason
            or result.critical in ("undecided", "hung")
            or result.seconds > _SLOW
        ):
            print(json.dumps(asdict(result)), flush=True)
        if save:
            save.write_text(json.dumps([asdict(each) for each in results]))
    return results


def table(results: list[Result]) -> str:
    """Return the figures of some results, a family a row, in Markdown."""
    head = [
        "family",
        "cases",
        *OUTCOMES[1:],
        *(f"{100 * share:g} %" for share in _SHARES),
        "critical weight",
        "verified",
    ]
    rows = [head, ["---"] * len(head)]
    for family in (*FAMILIES, "all"):
        of_family = [each for each in results if family in (each.family, "all")]
        if of_family:
            rows.append([family, str(len(of_family)), *_figures(of_family)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _figures(results: list[Result]) -> list[str]:
    counts = Counter(each.outcome for each in results)
    seconds = sorted(each.seconds for each in results)
    quantiles = (seconds[min(len(seconds) - 1, int(share * len(seconds)))] for share in _SHARES)
    certificates = [each.certificate for each in results if each.certificate]
    critical = [each.critical for each in results if each.critical]
    shares = _share(critical, "decided"), _share(certificates, "verified")
    return [*(str(counts[each]) for each in OUTCOMES[1:]), *(f"{each:.2f} s" for each in quantiles), *shares]


def _share(answers: list[str], best: str) -> str:
    return f"{100 * answers.count(best) / len(answers):.1f} %" if answers else "-"


def main() -> None:
    """Run some cases, or one, and print the table; or print the table of results that were saved."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--certify", type=int, default=1, help="of every so many cases try the critical weight and the certificate"
    )
    parser.add_argument("--case", type=int, help="this one alone")
    parser.add_argument("--save", type=Path, help="a file to write the results to, as JSON")
    parser.add_argument("--table", type=Path, nargs="+", help="files of results")
    arguments = parser.parse_args()
    if arguments.table:
        results = [Result(**each) for path in arguments.table for each in json.loads(path.read_text())]
    else:
        cases = range(arguments.cases) if arguments.case is None else (arguments.case,)
        results = _told(cases, arguments.seed, arguments.certify, arguments.save)
    print(table(results))
    sys.exit(any(each.outcome in ("wrong", "hung") for each in results))


if __name__ == "__main__":
    main()
