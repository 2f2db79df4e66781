"""What commands show while they work, what they leave behind when they are stopped, and how they start."""

import io
import os
import subprocess
import sys

import pytest

import gradtheory as gt
from gradtheory.arithmetic import sources
from gradtheory.cli import main, names, progress
from gradtheory.cli.commands import app
from gradtheory.derivation import FACTS
from gradtheory.derivation.topics import TOPICS
from gradtheory.explosion.superlevel import METHODS
from gradtheory.training.optimisers.catalogue import RULES


class _Terminal(io.StringIO):
    def isatty(self):
        return True


def _begun():
    """Wait until the line is shown, and return what shows it."""
    spinner = progress._SPINNER.get()
    spinner._timer.join()
    return spinner


def _terminal(monkeypatch):
    """Put a terminal in the place of stderr; pytest puts its own there before each phase of a test."""
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    monkeypatch.setattr(sys, "stderr", _Terminal())
    monkeypatch.setenv("TERM", "xterm")
    return sys.stderr


def test_work_is_shown_on_a_terminal_and_counted(monkeypatch):
    terminal = _terminal(monkeypatch)
    with progress.working():
        _begun()
        assert list(progress.counted(["a", "b"], "checking")) == ["a", "b"]
    assert "computing" in terminal.getvalue()
    assert "checking 2/2" in terminal.getvalue()
    assert progress._SPINNER.get() is None


def test_nothing_is_shown_once_the_result_is_printed(monkeypatch):
    terminal = _terminal(monkeypatch)
    with progress.working():
        spinner = _begun()
        progress.quiet()
        shown = terminal.getvalue()
        spinner._begin()  # as if its second had passed just now
        list(progress.counted(iter("ab"), "checking"))
    assert terminal.getvalue() == shown


def test_nothing_is_shown_elsewhere(capsys):
    with progress.working():
        assert progress._SPINNER.get() is None
        assert list(progress.counted(iter("ab"), "checking")) == ["a", "b"]
    assert capsys.readouterr().err == ""


def test_a_command_shows_that_it_works(capsys, monkeypatch):
    terminal, real = _terminal(monkeypatch), gt.explosion_width

    def slow(*arguments, **more):
        _begun()
        return real(*arguments, **more)

    monkeypatch.setattr(gt, "explosion_width", slow)
    assert main(["width", "relu", "-w", "2", "--lang", "zh"]) == 0
    assert "计算中" in terminal.getvalue()
    assert "宽度" in capsys.readouterr().out


def test_an_interrupt_leaves_no_file(capsys, monkeypatch, tmp_path):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(gt, "certificate", stop)
    asked = ["set", "tanh", "-w", "2", "--certificate", str(tmp_path / "proof.json")]
    assert main(asked) == 130
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_says_that_it_replaces_a_file(capsys, tmp_path):
    path = tmp_path / "proof.json"
    asked = ["set", "tanh", "-w", "2", "--certificate", str(path)]
    assert [main(asked), capsys.readouterr().err] == [0, ""]
    assert [main([*asked, "--json"]), capsys.readouterr().err] == [0, f"replaced {path}\n"]


def test_a_file_is_refused_before_anything_is_computed(capsys, monkeypatch, tmp_path):
    def never(*_, **__):
        pytest.fail("computed first")

    for name in ("explosion_set", "total_explosion_set", "derive", "audit"):
        monkeypatch.setattr(gt, name, never)
    (tmp_path / "file").touch()
    nowhere = str(tmp_path / "file" / "x.html")
    for asked in (
        ["set", "tanh", "-w", "2", "--certificate", nowhere],
        ["total", "tanh", "-w", "2", "--certificate", nowhere],
        ["derive", "-o", nowhere],
        ["audit", "m.onnx", "--data", "x.npy", "--html", nowhere],
    ):
        assert main(asked) == 2
        assert "must be a file that can be written to (Not a directory)" in capsys.readouterr().err


def test_names_read_from_the_sources_are_those_of_the_library():
    assert names.activations() == gt.activation_names()
    assert names.topics() == tuple(TOPICS)
    assert names.facts() == tuple(FACTS)
    assert names.optimisers() == tuple(RULES)
    assert names.methods() == METHODS
    assert sorted(names.plots()) == sorted(gt.plots.__all__)
    with pytest.raises(LookupError, match="assigns nothing to nothing"):
        sources.value_of("errors.py", "nothing")


@pytest.mark.slow
def test_every_name_is_that_of_a_record():
    for name in gt.activation_names():
        assert gt.activation(name).name.partition("(")[0] == name


def _completed(words):
    environment = os.environ | {
        "_GRADTHEORY_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["gradtheory", *words]),
        "COMP_CWORD": str(len(words)),
    }
    program = "import atexit, sys; atexit.register(lambda: print('sympy' in sys.modules)); from gradtheory.cli import main; main([])"
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    return run.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("set", "sig"), ["plain,sigmoid"]),
        pytest.param(("derive", "--topic", "wi"), ["plain,widest"], marks=pytest.mark.slow),
        pytest.param(("plot", "pha"), ["plain,phase_diagram"], marks=pytest.mark.slow),
        pytest.param(("fact", "two_p"), ["plain,two_point"], marks=pytest.mark.slow),
    ],
)
def test_completion_knows_the_names_and_loads_no_sympy(words, offered):
    assert _completed(words) == [*offered, "False"]


def test_help_and_version_load_no_sympy():
    program = "import sys; from gradtheory.cli import main; main(sys.argv[1:]); print([m for m in ('sympy', 'numpy', 'rich', 'gradtheory.cli.sets') if m in sys.modules])"
    for asked in (["--version"], ["plot", "settling", "--help"]):
        run = subprocess.run([sys.executable, "-c", program, *asked], capture_output=True, text=True, check=True)
        assert run.stdout.splitlines()[-1] == "[]"


def test_commands_stand_under_one_heading_each_with_a_whole_sentence(capsys):
    listed = [name for names_of in app.sections.values() for name in names_of]
    assert sorted(listed) == sorted(app.commands)
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert "..." not in out.partition("Options:")[2]
    for name in listed:
        (line,) = (line for line in out.splitlines() if line.split()[:1] == [name])
        assert app.commands[name].get_short_help_str() in line  # on one line, uncut


def test_the_nearest_attribute_is_named():
    with pytest.raises(AttributeError, match=r"gradtheory has no 'explosion_sett'; the nearest is 'explosion_set'"):
        _ = gt.explosion_sett
    with pytest.raises(AttributeError, match=r"^gradtheory has no 'zzzzzz'$"):
        _ = gt.zzzzzz
    assert not hasattr(gt, "_nothing")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["set", "sigmoid"], "Missing option '-w' / '--weight', as in: gradtheory set sigmoid -w 7 -b 1"),
        (["verify"], "Missing argument 'FILE', as in: gradtheory verify proof.json"),
        (["stability"], "as in: gradtheory stability heavy_ball --beta 0.9"),
        (["set", "sigmoid", "-w", "seven"], "w = 'seven': must be one finite real number, such as 7, 0.3 or 3/10"),
        (
            ["plot", "phase_digram"],
            "No such command 'phase_digram'. (Did you mean one of: 'chain_diagram', 'phase_diagram'?)",
        ),
        (["set", "sigmoid", "-w", "1", "--lang", "e"], "'e' is not one of 'en', 'zh'"),
        (["fact", "widst"], "the nearest is 'widest'"),
        (["stability", "sgd"], "Invalid value for 'OPTIMISER': 'sgd' is not one of"),
    ],
)
def test_mistakes_are_told_with_what_would_work(capsys, asked, said):
    assert main(asked) == 2
    assert said in capsys.readouterr().err
