"""Random command lines: no traceback, exit code 0, 1 or 2, one line for a mistake, and nothing slower than its limit.

Run as `python -m tests.cli.fuzz --cases 2000`; it prints each command line that does otherwise, and the slowest ones.
"""

import argparse
import contextlib
import io
import random
import re
import shlex
import signal
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import click

from gradtheory.cli import main, names
from gradtheory.cli.commands import app
from gradtheory.cli.help import Context
from gradtheory.cli.page import top_context
from gradtheory.cli.words import language

LIMIT = 30.0  # seconds of this process
# What takes seconds by its nature is drawn seldom, and never by the quick form.
DEAR = ("article", "atlas", "gains", "activations", "derive", "fact", "advise", "simulate", "plot", "audit", "lyapunov")
_NUMBERS = (
    "7", "-3", "1/2", "0.25", "22/7", "-0.1", "1e-3", "4", "0", "1e30", "1e400", "1e-400", "nan", "inf", "-", "", " 5 ", "5,5", "٣", "0x10",
    "1_000", "1/0", "seven", "sqrt(2)", "__import__('os').system('true')", "9" * 1200, "3/10/2", "--", "-1e999999", "½", "\u2212 1",
)  # fmt: skip
_OWN = (
    "tanh(z)", "z*sigmoid(2*z)", "max(0, z)", "1/z", "z^2", "z.real", "1 + 2", "exp(exp(exp(z)))", "(" * 80, "Piecewise((z, z > 0), (0, True))",
    "sin(z)/z", "sign(z)", "z*tanh(z)", "lambda z: z", "softmax(z)", "log(z)", "", "\u03c3(z)", "abs(z)**0.5", "erf(z) + z/1000",
)  # fmt: skip
_NAMES = (
    "sigmoid",
    "tanh",
    "relu",
    "gelu",
    "softsign",
    "elu(2)",
    "elu(alpha=-1)",
    "sigmod",
    "softmax",
    "np.tanh",
    "F.gelu",
    "Tanh",
    "",
    "z",
    "threshold",
)
_WORDS = (
    "",
    "x",
    "w1",
    "b2",
    "all",
    "heavy_ball",
    "sgd",
    "q",
    "c",
    "true",
    "\x07",
    "../../etc/passwd",
    "%s",
    "{}",
    "name=1",
    "w=7",
    "b=1",
    "w=theta",
    "zh",
    "fr",
)
_COUNTS = ("1", "2", "3", "0", "-1", "1.5", "many", "10", "1000000000000000000000", "L", "")
_PLACES = (
    "none.json",
    ".",
    "/dev/null/x",
    "no/such/folder/x.html",
    "page.html",
    "page.tex",
    "picture.png",
    "picture.svg",
    "x.gif",
    "",
    "\udcff",
    "a" * 300,
)
_HAN = re.compile(r"[\u4e00-\u9fff]")
_PROSE = re.compile(r"(?<![\w'/.*-])[a-z]{3,} [a-z]{2,} [a-z]{2,}(?![\w'*(-])")


@dataclass(frozen=True)
class Outcome:
    """What a command line did."""

    arguments: tuple[str, ...]
    code: object
    seconds: float
    fault: str  # empty if all is as it should be

    def __str__(self):
        return f"{shlex.join(('gradtheory', *self.arguments))}\n    {self.seconds:.1f} s, exit code {self.code}: {self.fault}"


def commands(dear):
    """Return the commands by their words, those of plots among them."""
    top = top_context()
    known = {(name,): command for name, command in app.commands.items() if dear or name not in DEAR}
    del known["explore",]  # which serves until it is stopped
    if dear:
        plot = known.pop(("plot",))
        within = Context(plot, info_name="plot", parent=top)
        known |= {("plot", name): plot.get_command(within, name) for name in plot.list_commands(within)}
    return known


def arguments(rng, known, folder):
    """Return a random command line."""
    cheap = [words for words in known if words[0] not in DEAR]
    words = rng.choice(cheap if rng.random() < 0.7 else list(known))
    command = known[words]
    asked = list(words)
    for parameter in command.params:
        wanted = (
            0.95 if parameter.required else {"activation": 0.85, "name": 0.9, "expr": 0.15}.get(parameter.name, 0.2)
        )
        if rng.random() > wanted:
            continue
        flags = [] if isinstance(parameter, click.Argument) else [rng.choice(parameter.opts)]
        if getattr(parameter, "is_flag", False):
            asked += flags
            continue
        for _ in range(rng.choice((1, 1, 2)) if parameter.multiple else 1):
            asked += [*flags, _value(rng, parameter, folder)]
    if rng.random() < 0.3:
        asked += ["--lang", rng.choice(("zh", "en", "zh", "fr"))]
    for _ in range(rng.choice((0,) * 9 + (1,))):
        asked.insert(
            rng.randrange(len(asked) + 1), rng.choice((*_WORDS, *_NUMBERS, "--help", "--nope", "-w", "--json"))
        )
    if "article" in words or "atlas" in words or "gains" in words:
        asked += ["--out", "/dev/null/x"]  # which is refused at once: they write for a minute
    if "--effort" in [each for parameter in command.params for each in parameter.opts]:
        asked += ["--effort", "0.2"]
    return asked


def _value(rng, parameter, folder):  # noqa: PLR0911  # one for each kind of parameter
    name = parameter.name
    if rng.random() < 0.04:
        return rng.choice((*_NUMBERS, *_WORDS))
    if name in ("activation", "activations"):
        return rng.choice(names.activations() if rng.random() < 0.6 else _NAMES)
    if name == "expr":
        return rng.choice(_OWN)
    if isinstance(parameter.type, click.Path):
        return str(folder / rng.choice(_PLACES)) if rng.random() < 0.7 else rng.choice(_PLACES[1:3])
    if isinstance(parameter.type, click.Choice):
        return rng.choice(parameter.type.choices if rng.random() < 0.8 else _WORDS)
    if isinstance(parameter.type, click.types.IntParamType) or name in ("depth", "wrt"):
        return rng.choice(_COUNTS[:3] if rng.random() < 0.7 else _COUNTS)
    if name in ("weights", "biases", "inputs", "targets") and not parameter.multiple:
        return ",".join(
            rng.choice(_NUMBERS) if rng.random() < 0.1 else str(rng.randint(-9, 9)) for _ in range(rng.randint(1, 4))
        )
    if name in ("values", "letters"):
        return rng.choice(_WORDS[-6:])
    if name == "name":
        return rng.choice((*names.facts(), *_WORDS))
    return rng.choice(_NUMBERS[:9]) if rng.random() < 0.85 else rng.choice(_NUMBERS)


def outcome(asked):
    """Run a command line, and say what is wrong with what it did."""
    out, err, began = io.StringIO(), io.StringIO(), time.process_time()
    code = fault = ""
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(list(asked))
    except BaseException as error:  # whatever comes is a fault, SystemExit included
        fault = "".join(traceback.format_exception(error)[-3:]).strip()
    seconds = time.process_time() - began
    if not fault and code not in (0, 1, 2):
        fault = "is no exit code of ours"
    lines = err.getvalue().splitlines()
    if code == 2 and (len(lines) != 1 or not lines[0].startswith("gradtheory: ") or out.getvalue()):
        fault = f"says {lines!r} on stderr, {out.getvalue()[:80]!r} on stdout"
    elif code == 2 and language() == "zh" and not _HAN.search(lines[0]):
        fault = f"is in English: {lines[0][:300]}"
    if any("sympy" in line.lower() for line in lines):
        fault = f"names SymPy: {lines[-1][:200]}"
    if "zh" in asked and any(
        _HAN.search(line) and _PROSE.search(line.removeprefix("gradtheory: ").partition("gradtheory ")[0])
        for line in lines[:1]
    ):
        fault = f"is half in Chinese: {lines[-1][:300]}"
    return Outcome(tuple(asked), code, seconds, fault)


def outcomes(seed, cases, folder, *, dear=True):
    """Yield what random command lines did."""
    rng, known = random.Random(seed), commands(dear)
    for _ in range(cases):
        yield outcome(arguments(rng, known, folder))


class _TooSlowError(BaseException):
    """Raised where a command line has taken its time; no part of the package catches it."""


def _stop(*_):
    raise _TooSlowError(f"slower than {LIMIT:g} s")


def run(seed, cases):
    """Run many command lines, each stopped at the limit; print the faults and the slowest ones."""
    signal.signal(signal.SIGVTALRM, _stop)
    rng, known, all_outcomes = random.Random(seed), commands(dear=True), []
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        for number in range(cases):
            asked = arguments(rng, known, Path(name))
            signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT)
            result = outcome(asked)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            all_outcomes.append(result)
            if result.fault:
                print(f"{number}: {result}", flush=True)
    faults = sum(bool(result.fault) for result in all_outcomes)
    codes = {code: sum(result.code == code for result in all_outcomes) for code in (0, 1, 2)}
    print(f"seed {seed}: {cases} command lines, {faults} faults, exit codes {codes}")
    for result in sorted(all_outcomes, key=lambda each: -each.seconds)[:5]:
        print(f"  {result.seconds:.1f} s  {shlex.join(('gradtheory', *result.arguments))[:150]}")
    return faults


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    raise SystemExit(bool(run(chosen.seed, chosen.cases)))
