"""The command line in Chinese: every help text and every sentence has a form in the table, and the table nothing else."""

import ast
import inspect
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import click
import numpy as np
import pytest
from safetensors.numpy import save_file

import gradtheory as gt
from gradtheory.audits.report.summary import summary_of
from gradtheory.cli import main, words
from gradtheory.cli.commands import app
from gradtheory.cli.help import Context
from gradtheory.cli.page import top_context
from gradtheory.document.translation import translation
from gradtheory.document.wrapping import columns, filled
from gradtheory.training.advice.of_chain import prescription, reasons
from gradtheory.training.advice.of_network import advise_network
from gradtheory.training.events import EventKind
from gradtheory.training.optimisers.catalogue import RULES
from tests.audits.test_audit import faulty

_CLI = Path(words.__file__).parent
_TABLE = tomllib.loads(files("gradtheory.document").joinpath("zh.toml").read_text(encoding="utf-8"))
_HAN = re.compile(r"[\u4e00-\u9fff]")
_ENGLISH = re.compile(r"(?<![\w'/.*-])[a-z]{2,} [a-z]{2,}(?![\w'*(-])")  # two words of prose, none of a formula
_SAMPLE = "7"  # in the place of a number or a name


def _untranslated(sentences):
    """Return the sentences that the table does not have."""
    return sorted({each for each in sentences if translation(each) is None})


def _commands():
    top = top_context()
    yield app, top
    for name, command in app.commands.items():
        context = Context(command, info_name=name, parent=top)
        yield command, context
        if isinstance(command, click.Group):
            for each in command.list_commands(context):
                yield command.get_command(context, each), Context(command, info_name=each, parent=context)


def test_every_help_text_has_a_chinese_form():
    sentences = [app.epilog, *app.sections]
    for command, context in _commands():
        sentences += inspect.cleandoc(command.help).split("\n\n")
        for option in command.get_params(context):
            if isinstance(option, click.Option):
                shown = re.fullmatch(r"(.*?)(?:  \[(.+)\])?", option.get_help_record(context)[1], re.DOTALL)
                sentences += [shown[1], *(shown[2] or "").split("; ")]
    assert len(sentences) > 150
    assert not _untranslated(filter(None, sentences))


def _literal(node):
    """Return a text or an f-string with a sample for what is put in; None for anything else."""
    match node:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr():
            return "".join(_literal(part) or _SAMPLE for part in node.values)
        case ast.BinOp(left=ast.Constant(str(text))):
            return text + _SAMPLE
    return None


def _said(tree):
    """Yield what a module of commands says: labels, titles of columns, sentences and refusals."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        match name:
            case "said" | "UsageError":
                yield _literal(call.args[0])
            case "InvalidArgument":
                yield _literal(call.args[2])
            case "print_result":
                yield from (each.arg.replace("_", " ") for each in call.keywords if each.arg)
            case "print_table" if isinstance(call.args[0], ast.Tuple):
                yield from map(_literal, call.args[0].elts)
            case "_named":
                yield _literal(call.args[2])


def test_every_sentence_of_the_commands_has_a_chinese_form():
    sentences = {each for path in _CLI.glob("*.py") for each in _said(ast.parse(path.read_text("utf-8"))) if each}
    assert len(sentences) > 70
    assert not _untranslated(sentences)


def test_joined_sentences_have_a_chinese_form_where_each_has():
    vanishes = "at the end the gradient vanishes: |da_L/dx| is at most 0.0097"
    chance = "without it rounding decides: in 10 runs from starts that hardly differ the loss ended between 1 and 2"
    assert translation(f"{vanishes}; {chance}") == f"{translation(vanishes)}；{translation(chance)}"
    assert translation(f"{vanishes}; nothing else is known of it") is None


def _said_of_chains():
    """Yield what `advise` says of chains, but for what the remedies are."""
    chance = "rounding decides: in 9 runs from starts that hardly differ the loss ended"
    lost = [f"{chance} between 1.2 and 4.1{lost}" for lost in ("", ", or diverged in 2")]
    harm = ["gradients leave their range", "the loss is higher on the way", *lost, f"{chance} at 4.1"]
    harm += ["rounding decides whether the loss is higher on the way"]
    harm += [f"the loss ends at 2.5, and at 1.5 without {each}" for each in ("it", "training")]
    no_gain = ["the loss is hardly lower", "the loss ends hardly lower than it starts", f"without it {lost[0]}"]
    faults = [
        "the loss rises on the way",
        "a layer carries hardly any gradient at the start",
        *harm,
        *no_gain,
        "without biases it ends lower still, at 1.3",
    ]
    faults += [f"alone clip_weights does harm, with η = 0.1: {each}" for each in harm]
    less = [f"with it and without biases the loss ends lower still, at 0.2, but {each}" for each in faults]
    costs = ["it costs: the loss ends slightly higher", "it costs: the loss ends at 0.5, not at 0"]
    costs += [
        "it costs: a layer saturates",
        "it costs: the loss ends 2.5 times as high",
        "it changes nothing",
        *no_gain,
    ]
    costs += ["the loss rises on the way with it", f"with it {lost[1]}", "gradients leave their range with it", *less]
    costs += ["with it a layer carries hardly any gradient at the start"]
    costs += [*(f"alone, with η = 0.1, {each}" for each in harm), reasons.ADDS_NOTHING]
    costs += [f"together with the others, {each}" for each in harm]
    costs += ["with it and without biases the loss ends lower still, at 0.2, but a layer saturates"]
    at_the_end = [
        f"at the end {each}" for each in ("a layer is saturated", "the gradient vanishes: |da_L/dx| is at most 0.001")
    ]
    worse = "on the way the loss is higher than with η = 0.1 alone"
    yield from (f"{each}{end}" for each in costs for end in ("", *(f"; {each}" for each in at_the_end)))
    yield from (f"{worse}; {end}; without it {each}" for end in at_the_end for each in lost)
    rate = "with the learning rate 0.1"
    runs = [f"{rate} the loss goes from 3 to 2", f"{rate} the loss diverges", *(f"{rate} {each}" for each in lost)]
    for run in (*runs, "the gradient is 0", "the loss is not finite"):
        yield f"nothing is advised: {run}, {reasons.NO_BETTER}"
        yield f"nothing is advised: {run}, which is 0 up to rounding"
        other = "clip_weights = [1. 2.], learning_rate = 0.32 ends lower, at 1e-68, with gradients in range"
        yield from (f"nothing is advised: {run}; {other}, but {each}" for each in faults)


def test_what_the_library_says_to_the_command_line_has_a_chinese_form():
    regions = [gt.stability_region(name) for name in RULES]
    bounds = [gt.depth_bound(name) for name in gt.activation_names()]
    chains = [gt.Chain(2, name) for name in ("sigmoid", "gelu", "hardshrink")] + [gt.Chain(2, ["leaky_relu", "tanh"])]
    sentences = [each for region in regions for each in (region.near_zero, region.curvature)]
    sentences += [bound.reason for bound in bounds]
    sentences += map(gt.total_explosion_theorem, chains)
    sentences += [kind.value for kind in EventKind]
    sentences += [f"{what} {_SAMPLE}" for what in prescription._WHAT.values()]
    sentences += prescription._PROMISE.values()
    added = ("LayerNorm before each activation", "around each layer that keeps its width")
    values = zip(
        ("clip_gradients", "initialisation", "normalisation", "residual_connections"), (1.5, 1.5, *added), strict=True
    )
    sentences += [advise_network._WHAT[kind].format(value=value) for kind, value in values]
    sentences += ["loss after 200 steps: diverged with η = 0.1, 3.775 with η = 0.001: works"]
    how = "loss after 50 steps of adam, η = 0.01: 1.5 without it, "
    sentences += [
        f"{how}0.5 with it, 67% lower: works",
        f"{how}1e-9 with it, >99.9% lower: works",
        f"{how}1.6 with it, 7% higher: NOT advised",
    ]
    sentences += [f"{how}1.49 with it, 0.7% lower: mends the gradient, and hardly the loss"]
    sentences += [f"{how}diverged with it: NOT advised", "per layer the gradient is multiplied by 1.1 instead of 0.8"]
    why_not = ("the loss ends higher", "the loss ends higher than it starts", "the loss is hardly lower")
    wrong = ("the run diverges at step 3", "the gradient's norm reaches 8.5e+11")
    wrong += tuple(f"the gradient vanishes: at the {when} layer1 has 3e-05 of the largest" for when in ("start", "end"))
    ends = "the loss goes from 1.5 to 1.7, and nothing that was tried"
    sentences += [*why_not, *wrong, advise_network._CHANCE]
    sentences += [f"nothing is advised: {each}, {ends} mends that" for each in wrong]
    sentences += [f"nothing is advised: {wrong[0]}, the loss diverges, and nothing that was tried mends that"]
    sentences += [f"nothing is advised: gradients stay in range, {ends} does much better"]
    sentences += _said_of_chains()
    assert not _untranslated(sentences)


@pytest.mark.parametrize("seeds", [range(5), pytest.param(range(5, 60), marks=pytest.mark.slow)], ids=str)
def test_what_audits_say_has_a_chinese_form(seeds):
    reports = [gt.audit(*faulty(seed)[:2]) for seed in seeds]
    sentences = [line for report in reports for line in summary_of(report)]
    sentences += [
        each for report in reports for layer in report.layers for each in (layer.cause, layer.verdict) if each
    ]
    assert not _untranslated(sentences)
    for line in map(translation, sentences):
        assert not _ENGLISH.search(line), line


_RUNS = (
    ("activations",),
    ("gains",),
    ("fact", "critical_weight"),
    ("set", "sigmoid", "-w", "7"),
    ("weights", "tanh", "-x", "0"),
    ("width", "relu", "-w", "2"),
    ("widest", "sigmoid"),
    ("depth", "softsign"),
    ("depth", "selu"),
    ("total", "sigmoid", "-w", "5", "-b", "-2.5", "--depth", "3"),
    ("stability", "adamw"),
    ("stability", "heavy_ball", "--eta", "0.1"),
    ("train", "-w", "6,6,6", "-b", "-3,-3,-3", "--eta", "2"),
    ("train", "-w", "4,4,4", "--activation", "identity", "--eta", "5"),
    ("train", "-w", "4,4,4", "--activation", "identity", "--eta", "5", "--optimiser", "adam"),
    ("advise", "-w", "8,8,8", "-b", "-4,-4,-4"),
    ("advise", "-w", "0,0", "--activation", "relu"),
    ("lyapunov", "relu", "--sigma-b", "0"),
    ("edge", "tanh"),
    ("edge", "relu", "--sigma-b", "0.1"),
    ("critical", "sigmoid"),
    ("critical", "gelu"),
    ("simulate", "sigmoid", "--depth", "6", "--chains", "50"),
)


@pytest.mark.sampled(6)
@pytest.mark.parametrize("arguments", _RUNS, ids=" ".join)
def test_commands_print_chinese(capsys, arguments):
    assert main([*arguments, "--lang", "zh"]) in (0, 1)
    out = capsys.readouterr().out
    assert _HAN.search(out)
    assert not [line for line in out.splitlines() if _ENGLISH.search(line)]


@pytest.mark.parametrize("command", ["", *app.commands, "plot settling", "plot explosion_region"])
def test_help_is_chinese_and_within_its_columns(capsys, command):
    assert main([*command.split(), "--help", "--lang", "zh"]) == 0
    out = capsys.readouterr().out
    prose = [line for line in out.splitlines() if _ENGLISH.search(line) and "gradtheory" not in line]
    assert not prose
    assert out.startswith("用法：gradtheory")
    assert max(columns(line) for line in out.splitlines() if "|" not in line) <= 80  # choices are not broken


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set", "sigmoid"), "缺少选项 '-w' / '--weight'"),
        (("set", "sigmoid", "-w", "1", "--bad"), "没有这个选项"),
        (("sett",), "没有这条命令"),
        (("derive", "--topic", "bad"), "'--topic' 的值无效：'bad' 不是以下之一"),
        (("set", "sigmoi", "-w", "7"), "activation = 'sigmoi': 不在目录中；最接近的名字是 sigmoid"),
        (("widest", "sigmoid", "--digits", "0"), "digits = 0: 必须在 1 到 100000 之间"),
        (("set", "-w", "7"), "请给出 ACT"),
        (("train", "-w", "1,2", "-b", "1"), "必须是 2 个数，每个权重一个"),
        (("advise", "-w", "one"), "必须是一个有限实数"),
    ],
)
def test_refusals_are_chinese(capsys, arguments, said):
    assert main([*arguments, "--lang", "zh"]) == 2
    assert said in capsys.readouterr().err


def test_the_language_stands_anywhere_or_is_that_of_the_locale(capsys, monkeypatch):
    for arguments in (["--lang", "zh", "width", "relu", "-w", "2"], ["width", "relu", "--lang=zh", "-w", "2"]):
        assert main(arguments) == 0
        assert "宽度" in capsys.readouterr().out
    assert main(["--lang", "zh"]) == 0
    assert "列出全部激活函数" in capsys.readouterr().out
    for name, value in (("LC_ALL", ""), ("LC_MESSAGES", ""), ("LANG", "zh_CN.UTF-8")):
        monkeypatch.setenv(name, value)
    assert main(["width", "relu", "-w", "2"]) == 0
    assert "宽度" in capsys.readouterr().out
    assert main(["width", "relu", "-w", "2", "--lang", "en"]) == 0
    assert "width" in capsys.readouterr().out
    assert main(["width", "relu", "--lang", "fr"]) == 2
    assert "'--lang' 的值无效" in capsys.readouterr().err


def test_json_has_english_names_in_every_language(capsys):
    assert main(["width", "relu", "-w", "2", "--json", "--lang", "zh"]) == 0
    assert '"guarantee": "exact"' in capsys.readouterr().out


@pytest.mark.slow
def test_the_page_of_an_audit_is_chinese(capsys, tmp_path):
    rng = np.random.default_rng(0)
    save_file({f"layer{k}.weight": rng.normal(0, 3 / 8, (64, 64)) for k in range(12)}, tmp_path / "net.safetensors")
    np.save(tmp_path / "x.npy", rng.normal(size=(32, 64)))
    asked = ["audit", str(tmp_path / "net.safetensors"), "--activation", "relu", "--data", str(tmp_path / "x.npy")]
    assert main([*asked, "--lang", "zh", "--html", str(tmp_path / "page.html")]) == 0
    assert "网络爆炸" in capsys.readouterr().out
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in page
    visible = re.sub(r"<(style|svg)[^>]*>.*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL)
    assert "网络审查" in visible
    assert not _ENGLISH.search(visible)


def test_the_table_keeps_its_places_and_its_words():
    for english, chinese in _TABLE.items():
        count = len(re.findall(r"\{#?\}", english))
        assert sorted(re.findall(r"\{\d?\}", chinese)) == [f"{{{place}}}" for place in range(count)], english
        assert _HAN.search(chinese) or chinese in (english, "LaTeX", "σ_w", "σ_b"), english
        assert "斜率" not in chinese


@pytest.mark.parametrize("width", [10, 24, 60])
def test_lines_are_filled_to_their_columns(width):
    text = "每一层的梯度 |σ'(z)·w| 都超过 1，于是（在深处）梯度爆炸；see gradtheory derive。"
    lines = filled(text, width).split("\n")
    assert all(columns(line) <= max(width, columns("gradtheory") + 2) for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert not [line for line in lines if line[0] in "，；。）"]


def test_the_activation_threshold_keeps_its_name(capsys):
    main(["gains", "--lang", "zh"])
    assert "│ threshold " in capsys.readouterr().out


def test_a_reason_of_several_parts_is_put_together_in_order():
    assert translation("σ is a Möbius map on each side of 0, and several pairs are as good").startswith(
        "σ 在 0 两侧都是"
    )
