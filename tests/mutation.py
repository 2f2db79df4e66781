"""Mutation testing of the package itself: mutmut, room by room, with the tests of that room.

    python -m tests.mutation [--tier quick|all] [--compare] [--sample N] [--again] [--jobs N] [ROOM ...]

Each room is mutated in build/mutation/ROOM and left there: `cd build/mutation/ROOM && mutmut results` lists what
survives, and `mutmut show NAME` a mutant. A second call tests what was not tested yet, or with --again what was not
killed. With --compare, what survives the quick tests is tested again with all of them, and both rates are printed.
"""

import argparse
import collections
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sympy.core.cache import clear_cache

_ROOT = Path(__file__).parent.parent
_BUILD = _ROOT / "build" / "mutation"


@dataclass(frozen=True)
class Room:
    """Which files are mutated, as patterns below gradtheory/, and which tests are to notice."""

    patterns: tuple[str, ...]
    tests: tuple[str, ...]

    def files(self) -> list[str]:
        """Return the paths of the files that are mutated."""
        package = _ROOT / "gradtheory"
        paths = {path for pattern in self.patterns for path in package.glob(pattern)}
        return sorted(str(path.relative_to(_ROOT)) for path in paths)

    def settings(self, tier: str) -> str:
        """Return mutmut's table for pyproject.toml; a string, list or number of JSON is one of TOML."""
        options = ["-p", "no:xdist", "-p", "no:cacheprovider", "-p", "tests.mutation"]
        table = {
            "source_paths": ["gradtheory"],
            "only_mutate": self.files(),
            "pytest_add_cli_args": [*options, "--all"] if tier == "all" else options,
            "pytest_add_cli_args_test_selection": [f"tests/{test}.py" for test in self.tests],
            "timeout_multiplier": 4.0,
            "timeout_constant": 20.0,
            "use_git_change_detection": False,
        }
        return "\n[tool.mutmut]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())


ROOMS = {
    "superlevel": Room(
        ("explosion/superlevel/*.py",),
        ("explosion/test_superlevel", "explosion/test_periodic", "explosion/test_explosion"),
    ),
    "explosion": Room(
        ("explosion/*.py", "explosion/whole_chain/*.py"),
        (
            *(
                f"explosion/test_{part}"
                for part in (
                    *("explosion", "widest", "variation", "weights_and_biases", "periodic", "total", "certificate"),
                    *("one_interval", "far_chains", "chains_at_extremes", "ends_at_kinks", "equal_peaks"),
                    *("nearly_equal_peaks", "widest_at_limits", "effort_of_chains", "certificate_words"),
                    *("deep_chains", "mixed_chains", "huge_inputs", "images_of_domains", "whole_line", "one_level"),
                )
            ),
            *("checker/test_chains", "activations/test_own_activation", "test_rejected"),
        ),
    ),
    "chain": Room(
        ("chains/chain.py", "chains/symbols.py", "chains/layers.py"),
        ("chains/test_chain", "chains/test_chain_in_brief", "chains/test_backprop", "test_rejected"),
    ),
    "backprop": Room(
        ("chains/backprop.py", "chains/batches.py"), ("chains/test_backprop", "training/test_training", "test_rejected")
    ),
    "derivation": Room(
        ("derivation/**/*.py",),
        (
            "derivation/test_derivation",
            "derivation/test_checks",
            "derivation/test_facts",
            "document/test_documents",
            "document/test_messages",
        ),
    ),
}


def pytest_sessionstart() -> None:
    """Forget, before the tests of a mutant, what its room computed without it: such an answer would hide it.

    This module is a plugin of mutmut's pytest.
    """
    room = ".".join(os.environ.get("MUTANT_UNDER_TEST", "").split(".")[:2])
    if room.startswith("gradtheory."):
        clear_cache()
        for name in [name for name in sys.modules if name.startswith(room)]:
            for value in vars(sys.modules[name]).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def _prepare(place: Path, room: Room, tier: str) -> None:
    """Copy what the room's run needs; files that did not change keep their dates, so that results are kept."""
    for part in ("gradtheory", "tests"):
        shutil.copytree(_ROOT / part, place / part, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (place / "pyproject.toml").write_text((_ROOT / "pyproject.toml").read_text() + room.settings(tier))


def _sample(place: Path, room: Room, size: int) -> list[str]:
    """Return the names of some of a room's mutants, chosen by their hashes; all, where it has no more.

    So a sample stays nearly the same when some of the code changes, and the results of the rest are kept.
    """
    from mutmut.mutation.file_mutation import mutate_file_contents
    from mutmut.utils.format_utils import get_mutant_name

    names = []
    with contextlib.chdir(place):  # where mutmut finds its settings
        for path in map(Path, room.files()):
            mutants = mutate_file_contents(str(path), path.read_text()).mutant_names
            names += [get_mutant_name(path, mutant) for mutant in mutants]
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())[:size]


def _outcomes(place: Path) -> dict[str, str]:
    """Return what became of each mutant that was tested."""
    from mutmut.stats import status_by_exit_code

    codes = {}
    for path in (place / "mutants").rglob("*.meta"):
        codes |= json.loads(path.read_text())["exit_code_by_key"]
    return {name: status_by_exit_code[code] for name, code in codes.items() if code is not None}


def _run(place: Path, mutants: list[str], jobs: int) -> dict[str, str]:
    """Run mutmut on some mutants, or on all if none are named, and return what became of them."""
    environment = {key: value for key, value in os.environ.items() if key != "CI"} | {"OMP_NUM_THREADS": "1"}
    command = [Path(sys.executable).parent / "mutmut", "run", "--max-children", str(jobs), *mutants]
    with (place / "mutmut.log").open("w") as log:
        run = subprocess.run(command, cwd=place, env=environment, stdout=log, stderr=log, check=False)
    if run.returncode:
        sys.exit(f"mutmut failed in {place.name}: the end of {place / 'mutmut.log'} says why")
    return {name: outcome for name, outcome in _outcomes(place).items() if not mutants or name in mutants}


def _is_noticed(outcome: str) -> bool:
    return outcome in ("killed", "timeout")


def main() -> None:
    """Run the rooms that are asked for, or all, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", nargs="*", choices=[[], *ROOMS], default=[])
    parser.add_argument("--tier", choices=("quick", "all"), default="quick", help="which tests are to notice")
    parser.add_argument("--compare", action="store_true", help="test what survives the quick tests with all of them")
    parser.add_argument("--sample", type=int, default=0, help="so many mutants of a room, chosen by their hashes")
    parser.add_argument("--again", action="store_true", help="test again what was not killed")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    totals: collections.Counter[str] = collections.Counter()
    for name in arguments.rooms or ROOMS:
        room = ROOMS[name]
        place = _BUILD / (name if arguments.tier == "quick" else f"{name}-all")
        _prepare(place, room, arguments.tier)
        mutants = _sample(place, room, arguments.sample) if arguments.sample else []
        if arguments.again:
            mutants = [mutant for mutant, outcome in _outcomes(place).items() if outcome != "killed"]
        outcomes = _run(place, mutants, arguments.jobs)
        noticed = sum(map(_is_noticed, outcomes.values()))
        line = f"{name:12} {len(outcomes):5} mutants, {noticed / len(outcomes):6.1%} noticed"
        totals.update(mutants=len(outcomes), noticed=noticed)
        if arguments.compare:
            survivors = [mutant for mutant, outcome in outcomes.items() if not _is_noticed(outcome)]
            _prepare(_BUILD / f"{name}-all", room, "all")
            again = _run(_BUILD / f"{name}-all", survivors, arguments.jobs) if survivors else {}
            late = [mutant for mutant, outcome in again.items() if _is_noticed(outcome)]
            totals.update(late=len(late))
            line += f" by the quick tests, {(noticed + len(late)) / len(outcomes):6.1%} by all"
            print(*(f"  by all tests alone: {mutant}" for mutant in late), sep="\n")
        print(f"{line}: {dict(collections.Counter(outcomes.values()))}", flush=True)
    if arguments.compare:
        quick, both = totals["noticed"] / totals["mutants"], (totals["noticed"] + totals["late"]) / totals["mutants"]
        print(
            f"all rooms    {totals['mutants']:5} mutants, {quick:6.1%} noticed by the quick tests, {both:6.1%} by all"
        )


if __name__ == "__main__":
    main()
