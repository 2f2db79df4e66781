"""Numbers with their digits: certified in ball arithmetic, or exact."""

from gradtheory.derivation.checks.trial import Trial
from gradtheory.derivation.checks.verdict import CERTIFIED, EXACT, Verdict, false
from gradtheory.derivation.digits import InNumbers, Rounded, rounds_to
from gradtheory.derivation.language import Width


def check_rounded(statement: Rounded, trial: Trial) -> Verdict:
    """Prove that a number lies within half a unit of its last decimal."""
    number = trial.meaning.value(statement.lhs, {})
    if number.is_infinite:
        return false(f"{statement.lhs} is infinite")
    if rounds_to(number, statement):
        return CERTIFIED
    return false(f"{statement.lhs} does not round to {statement.rhs}")


def check_in_numbers(statement: InNumbers, trial: Trial) -> Verdict:
    """Prove the result, also from the numbers as written; the equation in symbols is checked as a step of its own."""
    numbers, result = statement.numbers, statement.result
    for number, written in statement.roundings:
        if not rounds_to(number, written):
            return false(f"{written.lhs} does not round to {written.rhs}")
    sides = [statement.rhs, statement.lhs] if statement.lhs.has(Width) else [statement.rhs]
    for side in sides:
        for put_in in (numbers, statement.written):
            if not rounds_to(trial.meaning.value(side, put_in), result):
                return false(f"{side} does not round to {result.rhs}")
    return EXACT if statement.is_exact and len(sides) == 1 else CERTIFIED
