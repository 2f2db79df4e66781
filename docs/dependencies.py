"""Write dependencies.md: each library that is installed, with its licence and its size, read from what is here."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

_ROOT = Path(__file__).parents[1]
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_LICENCE = "License :: OSI Approved :: "
_LONGEST = 80  # letters of a licence: some packages state the whole text
_COUNT = "import sys; before = set(sys.modules); import gradtheory; print(len(set(sys.modules) - before))"
_PAGE = """\
# What is installed

Written by `python docs/dependencies.py` from the metadata of what is installed, here under Python {python} on Linux.

`pip install gradtheory` alone installs {core_count} libraries beside the package: {core_size:.0f} MB, and gradtheory \
itself {own_size:.1f} MB. With `gradtheory[all]` it is {count} libraries and {size:.0f} MB. `import gradtheory` loads \
{modules} small modules, and neither SymPy nor NumPy: those are loaded when a call first needs them.

`.ci/oldest` installs the oldest versions named here, and runs the README and the tutorial with them.

| library | asked for by | version | licence | MB |
|---|---|---|---|---|
{rows}
"""


@dataclass(frozen=True)
class Library:
    """A library that is installed with the package: who asks for it, for which versions, under which licence."""

    name: str
    wanted_by: str
    versions: str

    @property
    def licence(self) -> str:
        """As the library's metadata states it."""
        told = metadata.metadata(self.name)
        classified = [line[len(_LICENCE) :] for line in told.get_all("Classifier") or () if line.startswith(_LICENCE)]
        lines = (told.get("License-Expression") or ", ".join(classified) or told.get("License") or "").splitlines()
        return lines[0] if lines and len(lines[0]) <= _LONGEST else ", ".join(classified) or "see its page"

    @property
    def size(self) -> float:
        """Of its files, in MB."""
        paths = (Path(str(path.locate())) for path in metadata.files(self.name) or ())
        return sum(path.stat().st_size for path in paths if path.is_file() and path.suffix != ".pyc") / 1e6


def direct() -> dict[str, list[Requirement]]:
    """Return what the package itself asks for: the core under "", and each extra by its name."""
    groups = {"": _PROJECT["dependencies"], **_PROJECT["optional-dependencies"]}
    read = {extra: [Requirement(need) for need in needs] for extra, needs in groups.items()}
    return {extra: [need for need in needs if need.name != "gradtheory"] for extra, needs in read.items()}


def libraries() -> list[Library]:
    """Return all that `gradtheory[all]` installs, the core first, each with the first that asks for it."""
    known: dict[str, Library] = {}
    for extra, needs in direct().items():
        waiting = [(f"`[{extra}]`" if extra else "the core", need) for need in needs]
        for wanted_by, need in waiting:  # which grows
            name = re.sub(r"[-_.]+", "-", need.name).lower()
            if name not in known:
                asked = str(need.specifier) if need in needs else ""
                known[name] = Library(name, wanted_by, ", ".join(sorted(asked.split(","), reverse=True)))
                waiting.extend((name, further) for further in _needs(need))
    return list(known.values())


def _needs(need: Requirement) -> Iterator[Requirement]:
    """Yield what a library asks for here, with the extras that are asked of it."""
    for text in metadata.requires(need.name) or ():
        further = Requirement(text)
        if further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in ("", *need.extras)):
            yield further


def page() -> str:
    """Return the page as Markdown."""
    everything = libraries()
    core = everything[: next(i for i, each in enumerate(everything) if each.wanted_by.startswith("`"))]
    own = sum(path.stat().st_size for path in (_ROOT / "gradtheory").rglob("*") if path.suffix not in ("", ".pyc"))
    command = [sys.executable, "-c", _COUNT]
    modules = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603  # our own
    return _PAGE.format(
        python=".".join(map(str, sys.version_info[:2])),
        core_count=len(core),
        core_size=sum(each.size for each in core),
        own_size=own / 1e6,
        count=len(everything),
        size=sum(each.size for each in everything),
        modules=modules.strip(),
        rows="\n".join(
            f"| {each.name} | {each.wanted_by} | {each.versions} | {each.licence} | {each.size:.1f} |"
            for each in everything
        ),
    )


if __name__ == "__main__":
    Path(__file__).with_suffix(".md").write_text(page(), encoding="utf-8")
