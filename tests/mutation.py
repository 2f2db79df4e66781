"""Mutation testing of the package itself: mutmut, room by room, with the tests of that room.

    python -m tests.mutation [--sample N] [--again] [--jobs N] [ROOM ...]

Each room is mutated in build/mutation/ROOM and left there: `cd build/mutation/ROOM && mutmut results` lists what
survives, and `mutmut show NAME` a mutant. A second call tests what was not tested yet, or with --again what was not
killed.
"""

import argparse
import collections
import contextlib
import fnmatch
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from sympy.core.cache import clear_cache

_ROOT = Path(__file__).parent.parent
_BUILD = _ROOT / "build" / "mutation"
# Parts of the names of tests that take long, where others go the same way; --few leaves out most of the catalogue.
_SLOW = re.compile(
    r"mish|gelu_tanh|depth_10000|eight_threads|size_grows"
    r"|test_own_activation\.py::(?!test_the_widest_explosion_of_ones_own|test_the_longest_component)"
    r"|(is_the_inequality|formula_is_the_set)\[(?!sigmoid|hardshrink|elu|sine|softplus)"
    r"|huge_and_tiny_weights\[(gelu|.*-(-1e308|1\.79|1e-308))|keeps_its_digits\[(100|200)"
    r"|restricts_the_set\[(sine|cosine)|restricts_every_set\[(-3|7-domain\d-(gaussian|gelu|leaky_relu|threshold))"
    r"|test_(weights|biases)\[(?!sigmoid|relu|elu|hardshrink|softplus|sine)"
    r"|far_from_the_origin|not_found_are_undecided|clear_line\[(activation-70|depth-85)"
    r"|own_are_derived_too\[z|squared-gelu|every_broken_step_is_caught\[weight_decay"
    r"|is_true\[(softplus|leaky_relu|snake|hardshrink|elu|sine|gaussian|(gelu|relu6)-(weight_decay|clipping|initial))"
    r"|is_caught\[(explosion-(cloglog|softsign)|(initialisation|clipping)-(sigmoid|softsign|cloglog))"
    r"|again\[(gradient-asked3|slope_maximum)|lines_in_numbers|numeric_step|every_reason"
    r"|compile|notebook|browser|html|titles|suffix"
)


@dataclass(frozen=True)
class Room:
    """Which files are mutated, and which tests are to notice."""

    files: str
    tests: tuple[str, ...]

    def settings(self) -> str:
        """Return mutmut's table for pyproject.toml; a string, list or number of JSON is one of TOML."""
        table = {
            "source_paths": ["gradtheory"],
            "only_mutate": [self.files],
            "pytest_add_cli_args": ["--few", "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "tests.mutation"],
            "pytest_add_cli_args_test_selection": [f"tests/test_{each}.py" for each in self.tests],
            "timeout_multiplier": 4.0,
            "timeout_constant": 20.0,
            "use_git_change_detection": False,
        }
        return "\n[tool.mutmut]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())


ROOMS = {
    "superlevel": Room("gradtheory/superlevel/*", ("superlevel", "periodic", "explosion")),
    "explosion": Room(
        "gradtheory/explosion/*",
        ("explosion", "widest", "variation", "weights_and_biases", "periodic", "own_activation", "rejected"),
    ),
    "chain": Room("gradtheory/chain.py", ("chain", "rejected", "backprop")),
    "backprop": Room("gradtheory/backprop.py", ("backprop", "rejected", "training")),
    "derivation": Room("gradtheory/derivation/*", ("derivation", "documents", "messages")),
}


def pytest_collection_modifyitems(config: object, items: list[pytest.Item]) -> None:
    """Leave out what is slow: this module is a plugin of mutmut's pytest."""
    items[:] = [item for item in items if not _SLOW.search(item.nodeid)]


def pytest_sessionstart() -> None:
    """Forget, before the tests of a mutant, what its room computed without it: such an answer would hide it."""
    room = ".".join(os.environ.get("MUTANT_UNDER_TEST", "").split(".")[:2])
    if room.startswith("gradtheory."):
        clear_cache()
        for name in [each for each in sys.modules if each.startswith(room)]:
            for value in vars(sys.modules[name]).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def _prepared(name: str, room: Room) -> Path:
    """Copy what the room's run needs; files that did not change keep their dates, so that results are kept."""
    place = _BUILD / name
    for part in ("gradtheory", "tests"):
        shutil.copytree(_ROOT / part, place / part, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (place / "pyproject.toml").write_text((_ROOT / "pyproject.toml").read_text() + room.settings())
    return place


def _sample(place: Path, room: Room, size: int) -> list[str]:
    """Return the names of some of a room's mutants, chosen by their hashes; none, which means all, where it has no more.

    So a sample stays nearly the same when some of the code changes, and the results of the rest are kept.
    """
    from mutmut.mutation.file_mutation import mutate_file_contents
    from mutmut.utils.format_utils import get_mutant_name

    names = []
    with contextlib.chdir(place):  # where mutmut finds its settings
        for path in sorted(Path("gradtheory").rglob("*.py")):
            if fnmatch.fnmatch(str(path), room.files):
                found = mutate_file_contents(str(path), path.read_text()).mutant_names
                names += [get_mutant_name(path, each) for each in found]
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())[:size] if size < len(names) else []


def _outcomes(place: Path) -> dict[str, str]:
    """Return what became of each mutant that was tested."""
    from mutmut.stats import status_by_exit_code

    codes = {}
    for path in (place / "mutants").rglob("*.meta"):
        codes |= json.loads(path.read_text())["exit_code_by_key"]
    return {name: status_by_exit_code[code] for name, code in codes.items() if code is not None}


def main() -> None:
    """Run the rooms that are asked for, or all, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rooms", nargs="*", choices=[[], *ROOMS], default=[])
    parser.add_argument("--sample", type=int, default=0, help="so many mutants of a room, chosen by their hashes")
    parser.add_argument("--again", action="store_true", help="test again what was not killed")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    environment = {key: value for key, value in os.environ.items() if key != "CI"} | {"OMP_NUM_THREADS": "1"}
    for name in given.rooms or ROOMS:
        place = _prepared(name, ROOMS[name])
        chosen = _sample(place, ROOMS[name], given.sample) if given.sample else []
        if given.again:
            chosen = [mutant for mutant, outcome in _outcomes(place).items() if outcome != "killed"]
        command = [Path(sys.executable).parent / "mutmut", "run", "--max-children", str(given.jobs), *chosen]
        with (place / "mutmut.log").open("w") as log:
            done = subprocess.run(command, cwd=place, env=environment, stdout=log, stderr=log, check=False)
        if done.returncode:
            sys.exit(f"mutmut failed in {name}: the end of {place / 'mutmut.log'} says why")
    for name in given.rooms or ROOMS:
        counts = collections.Counter(_outcomes(_BUILD / name).values())
        caught = (counts["killed"] + counts["timeout"]) / counts.total()
        print(f"{name:12} {counts.total():5} mutants, {caught:6.1%} noticed: {dict(counts)}", flush=True)


if __name__ == "__main__":
    main()
