"""What one answer need not load."""

import subprocess
import sys

import click
import numpy as np
import pytest

import gradtheory.typing
from gradtheory.arithmetic import inputs
from gradtheory.cli import help as help_of

_PRINTED = "import sys; print([name for name in ('numpy', 'scipy', 'rich') if name in sys.modules])"


@pytest.mark.slow  # SymPy is imported twice
@pytest.mark.parametrize(
    "asked",
    [
        "import gradtheory as gt; gt.explosion_set('sigmoid', w=7)",
        "from gradtheory.cli import main; main('set sigmoid -w 7'.split())",
    ],
)
def test_the_exact_set_of_a_neuron_needs_no_numpy(asked):
    run = subprocess.run([sys.executable, "-c", f"{asked}; {_PRINTED}"], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_types_of_arrays_are_there_for_those_who_ask():
    assert inputs.Array.__origin__ is np.ndarray
    assert gradtheory.typing.ArrayLike is np.typing.ArrayLike
    for module in (inputs, gradtheory.typing):
        assert not hasattr(module, "Arrays")


def test_commands_are_known_before_they_are_loaded():
    commands = help_of._Commands({"set": "sets", "no": "sets"})
    assert (*commands, len(commands), "sett" in commands) == ("set", "no", 2, False)
    commands["set"] = command = click.Command("set")
    assert commands["set"] is command
    del commands["set"]
    assert commands.get("no") is None  # its module holds none of this name


def test_the_module_is_the_command():
    run = subprocess.run([sys.executable, "-m", "gradtheory", "--version"], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("gradtheory ")
