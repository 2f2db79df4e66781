"""An adversary of the checker: mutants of true certificates, and forgeries made to please it.

Run ``python -m tests.checker.adversary --count 40000`` for a table of how many mutants of each kind were accepted. A mutant
that is accepted must still claim what is true, by `tests.checker.claims`.
"""

import argparse
import copy
import random
import re
from collections import Counter
from fractions import Fraction

from gradtheory.checker import check
from tests.checker.certificates import VALID as OF_ONE_ACTIVATION
from tests.checker.chain_certificates import VALID_CHAINS
from tests.checker.claims import false_in

VALID = {**OF_ONE_ACTIVATION, **{f"chain: {key}": data for key, data in VALID_CHAINS.items()}}
_NAMES = ("exp", "sin", "cos", "tanh", "sinh", "cosh", "atan", "erf", "log", "sqrt", "Abs", "Max", "Min", "sign")
_BUMPS = (
    "log(1 + exp(100*(z - 20)))/100",
    "exp(-100*(z - 20)**2)",
    "tanh(50*(z - 100)) + 1",
    "sin(pi*z)/10**30",
    "exp(-10**6)*z",
    "z/10**60",
    "10**(-300)*z**3",
    "(tanh(z)**2 + sech(z)**2 - 1)",
    "(sqrt(z**2) - z)",
    "(Abs(z) - z)",
    "1/10**50",
)
_SPELLINGS = (
    "00",
    "-06771",
    "z0",
    "+1",
    "1_0",
    "0x1",
    "1e3",
    " 1",
    "1 ",
    "-0",
    "2/4",
    "1/1",
    "١",
    "٣",
    "1.0",
    "oo",
    "nan",
)
_WRONG = (None, True, 0, -1, 2.5, "", [], {}, "z", "0", "1", "oo", "-oo", ["0", "1"], [["0"]], {"end": 0}, "(" * 70)


def _paths(data, path=()):
    for key, inner in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from _paths(inner, (*path, key))


def _outer(data, path):
    for key in path[:-1]:
        data = data[key]
    return data


def _number(source, text):
    """Return another number."""
    shift = source.choice((Fraction(1, 10**40), Fraction(1, 10**9), Fraction(1, 7), Fraction(3), Fraction(10**9)))
    try:
        moved = Fraction(text) + source.choice((-1, 1)) * shift
        return str(source.choice((moved, -Fraction(text), Fraction(text) / 2, moved * moved)))
    except ValueError:
        return source.choice((f"({text}) + {shift}", f"-({text})", f"({text})*(1 + {shift})", f"({text})/2"))


def _expression(source, text):
    """Return another expression."""
    tokens = re.findall(r"\w+|\*\*|\S", text)
    i = source.randrange(len(tokens)) if tokens else 0
    match source.randrange(7):
        case 0:
            return f"{text} {source.choice('+-')} {source.choice(_BUMPS)}"
        case 1:
            return f"({text})*(1 + {source.choice(_BUMPS)})"
        case 2 if tokens:
            tokens[i] = source.choice((*_NAMES, "z", "2", "+", "-", "*", "/", "**", "pi"))
        case 3 if tokens:
            del tokens[i]
        case 4:
            tokens.insert(i, source.choice((*"z2-()", "1/2")))
        case 5:
            return text.replace("z", source.choice(("(z + 1/10**30)", "(-z)", "(2*z)", "Abs(z)", "(z - 1)")))
        case _:
            return re.sub(r"\d+", lambda found: str(int(found[0]) + source.choice((0, 1, -1, 10))), text)
    return " ".join(tokens)


def _another(source, data, path):  # noqa: PLR0911, PLR0912  # one a kind of change
    """Return another value for a field, and the name of the change."""
    before = _outer(data, path)[path[-1]]
    way = source.random()
    if way < 0.12:
        return "wrong type", copy.deepcopy(source.choice(_WRONG))
    if way < 0.24:  # the value of a field of the same name elsewhere
        other = source.choice(list(VALID.values())) if source.random() < 0.3 else data
        fields = [(_outer(other, each)[each[-1]], each[-1]) for each in _paths(other)]
        alike = [value for value, key in fields if (key == path[-1] or isinstance(path[-1], int)) and value != before]
        if alike:
            return "from elsewhere", copy.deepcopy(source.choice(alike))
    if isinstance(before, bool):
        return "flag", not before
    if isinstance(before, int):
        return "integer", before + source.choice((-2, -1, 1, 2))
    if isinstance(before, str):
        if way < 0.3:
            return "spelling", source.choice(_SPELLINGS)
        if path[-1] in {"expression", "piece", "positive", "shape"}:
            return "expression", _expression(source, before)
        return "number", _number(source, before)
    if isinstance(before, list) and before:
        items, i = copy.deepcopy(before), source.randrange(len(before))
        match source.randrange(4):
            case 0:
                del items[i]
            case 1:
                items.insert(i, copy.deepcopy(items[source.randrange(len(items))]))
            case 2:
                items.reverse()
            case 3:
                source.shuffle(items)
        return "list", items
    if isinstance(before, dict) and before and source.random() < 0.7:
        fields = copy.deepcopy(before)
        if source.random() < 0.5:
            del fields[source.choice(sorted(fields))]
        else:
            fields[source.choice(("note", "end", "piece", "argument"))] = "0"
        return "fields", fields
    return "wrong type", copy.deepcopy(source.choice(_WRONG))


def mutants(count, seed=0, keys=tuple(VALID)):
    """Yield the names of changes and the certificates that they make of true ones."""
    source = random.Random(seed)
    for _ in range(count):
        data, names = copy.deepcopy(VALID[source.choice(keys)]), []
        for _ in range(source.choice((1, 1, 1, 2, 3))):
            paths = list(_paths(data))
            if paths:
                path = source.choice(paths)
                name, after = _another(source, data, path)
                _outer(data, path)[path[-1]] = after
                names.append(name)
        if data != VALID:
            yield names[0] if len(names) == 1 else "two or three changes", data


def trial(count, seed=0, keys=tuple(VALID)):
    """Return how many mutants of each kind there were and how many were accepted, and the accepted that are false."""
    made, accepted, false, known = Counter(), Counter(), [], {}
    for name, data in mutants(count, seed, keys):
        made[name] += 1
        report = check(data)
        assert report.ok == (report.reason is None), report
        if report.ok:
            accepted[name] += 1
            key = repr({field: data[field] for field in data if field != "method"})
            if key not in known:
                known[key] = false_in(data)
            if known[key] is not None:
                false.append((known[key], data))
    return made, accepted, false


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    made, accepted, false = trial(arguments.count, arguments.seed)
    print(f"{'change':<50} {'mutants':>8} {'accepted':>8}")
    for name, count in made.most_common():
        print(f"{name:<50} {count:>8} {accepted[name]:>8}")
    print(f"{'all':<50} {made.total():>8} {accepted.total():>8}, of which false: {len(false)}")
    for reason, data in false[:10]:
        print(reason, data)


if __name__ == "__main__":
    main()
