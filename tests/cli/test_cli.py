"""The command line: what it prints, what it refuses, that it never shows a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sympy
from click.testing import CliRunner

import gradtheory as gt
from gradtheory.cli import main
from gradtheory.cli.commands import app

_DOCS = Path(__file__).parents[2] / "docs"


def run(capsys, *arguments):
    code = main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_set(capsys):
    code, out, _ = run(capsys, "set", "sigmoid", "-w", "7", "-b", "1")
    assert code == 0
    assert "-0.366686 < x < 0.0809713, exactly -2 arsinh(√3/2)/7 - 1/7 < x < 2 arsinh(√3/2)/7 - 1/7\n" in out
    assert "exact" in out
    assert "x = 0\n" in run(capsys, "set", "sigmoid", "-w", "-4", "--closed")[1]
    assert "w ≤ -1 or w ≥ 1\n" in run(capsys, "weights", "tanh", "-x", "0", "--closed")[1]
    assert "w < -1 或 w > 1\n" in run(capsys, "weights", "tanh", "-x", "0", "--lang", "zh")[1]
    assert "every x\n" in run(capsys, "set", "identity", "-w", "2")[1]
    assert "b > -3\n" in run(capsys, "biases", "relu", "-w", "2", "-x", "3/2")[1]


def test_total(capsys, tmp_path):
    path = tmp_path / "proof.json"
    layers = ("-w", "5,5", "-b", "-2.5,-2.5")
    code, out, _ = run(capsys, "total", "sigmoid", *layers, "--certificate", str(path))
    assert code == 0
    assert out.splitlines()[0] == "set        0.323468762057888 < x < 0.676531237942112"
    again = ("-w", "5", "--weight", "5", "-b", "-2.5", "--bias", "-2.5")
    assert run(capsys, "total", "sigmoid", *again) == run(capsys, "total", "sigmoid", *layers)
    assert "\nlength     0.353062475884\n" in out
    assert "\nlongest    0.447743204694\n" in out
    assert run(capsys, "total", "sigmoid", "-w", "5", "-b", "-2.5", "--depth", "2")[1] == out
    code, said, _ = run(capsys, "verify", str(path))
    assert code == 0
    assert said.splitlines()[0].split(maxsplit=1) == ["verdict", "verified on the whole line"]
    path.write_text(path.read_text().replace('"weight": "5"', '"weight": "6"', 1))
    assert run(capsys, "verify", str(path))[0] == 1
    assert "x > 0\n" in run(capsys, "total", "--expr", "Max(0, z)", "-w", "2,3")[1]
    assert "none\n" in run(capsys, "total", "sigmoid", "-w", "4,4", "-c", "2")[1]
    assert run(capsys, "total", "relu", "-w", "1,1", "--closed")[1].startswith("set        x > 0\n")


def test_depth_prints_the_theorem_for_an_activation(capsys):
    code, out, _ = run(capsys, "depth", "sigmoid", "--digits", "20")
    assert code == 0
    assert "0.44774320469430284918" in out
    assert "even and log-concave" in out
    assert "-1.5434046384182084480, 1.5434046384182084480" in out
    printed = json.loads(run(capsys, "depth", "softsign", "-c", "1/2", "--json")[1])
    assert [printed["at_any_depth"]["exact"], printed["threshold"]["value"]] == ["2", 0.5]
    assert [end["exact"] for end in printed["pair"]] == ["0", "oo"]
    printed = json.loads(run(capsys, "depth", "selu", "--json")[1])
    assert (printed["at_any_depth"], printed["in_class_n"], printed["witness"]["exact"]) == (None, False, "0")


def test_widest_prints_proven_digits(capsys):
    _, out, _ = run(capsys, "widest", "sigmoid", "--digits", "50")
    assert "0.44774320469430284917832424096967256979161169212605" in out
    assert "s∗ tanh(s∗) = 1/2" in out
    assert "6.8942" in run(capsys, "widest", "sigmoid", "--digits", "5")[1]  # rounded once
    assert "equation" not in run(capsys, "widest", "relu")[1]


def test_width(capsys):
    assert "0.447656924849260" in run(capsys, "width", "sigmoid", "-w", "7")[1]


@pytest.mark.slow
def test_derive(capsys, tmp_path):
    code, out, _ = run(capsys, "derive", "--depth", "2", "--activation", "arctan", "--wrt", "b1")
    assert code == 0
    assert "∂C/∂b₁ = (a₂ - y) · σ'(z₂) w₂ · σ'(z₁)" in out
    assert "δ₁ = " in out
    _, out, _ = run(capsys, "derive", "--depth", "2", "--format", "tex")
    assert r"\frac{\partial C}{\partial w_{1}} = " in out
    assert r"\prod_{k=l + 1}^{L}" in run(capsys, "derive", "--depth", "L", "--format", "md")[1]
    out = run(capsys, "derive", "--topic", "explosion", "--value", "w=7", "--value", "b=1", "--value", "c=1")[1]
    assert "0.4476569248" in out
    path = tmp_path / "gelu.html"
    out = run(
        capsys, "derive", "--depth", "4", "--activation", "gelu", "--lang", "zh", "-o", str(path), "--title", "<b>"
    )[1]
    assert "已写出：" in out
    assert "&lt;b&gt;" in path.read_text(encoding="utf-8")
    _, out, _ = run(capsys, "derive", "--topic", "slope_maximum", "--expr", "z*sigmoid(2*z)")
    assert "sup|σ'| = " in out


def test_the_locale_chooses_the_language(capsys, monkeypatch):
    for name, value in (("LC_ALL", ""), ("LC_MESSAGES", ""), ("LANG", "zh_CN.UTF-8")):
        monkeypatch.setenv(name, value)
    assert "导数的最大值" in run(capsys, "derive", "--topic", "slope_maximum")[1]
    assert "greatest slope" in run(capsys, "derive", "--topic", "slope_maximum", "--lang", "en")[1]


def test_a_step_that_is_not_shown_fails(capsys, monkeypatch):
    import dataclasses

    real = gt.derive

    def broken(*arguments, **more):
        derivation = real(*arguments, **more)
        wrong = dataclasses.replace(derivation.steps[0], statement=sympy.Eq(1, 2, evaluate=False))
        answer = dataclasses.replace(derivation.answer, steps=(wrong, *derivation.steps[1:]))
        return dataclasses.replace(derivation, answer=answer)

    monkeypatch.setattr(gt, "derive", broken, raising=False)
    code, out, _ = run(capsys, "derive", "--topic", "slope_maximum", "--lang", "en")
    assert code == 1
    assert "[false]" in out


def test_facts(capsys):
    code, out, _ = run(capsys, "fact", "widest", "--lang", "en")
    assert code == 0
    assert all(word in out for word in ("|X_w| ≤ K/c", "conditions", "Grafakos", "exact"))
    assert "最宽的爆炸集" in run(capsys, "fact", "widest", "--lang", "zh")[1]
    assert "not met" in run(capsys, "fact", "logistic", "--activation", "tanh", "--lang", "en")[1]
    assert "any_depth" in run(capsys, "fact")[1]
    assert json.loads(run(capsys, "fact", "--json", "--lang", "en")[1])["facts"]["scaling"] == "Lengths under scaling"


def test_activations_lists_the_catalogue(capsys):
    _, out, _ = run(capsys, "activations")
    assert all(name in out for name in gt.activation_names())


@pytest.mark.slow
def test_atlas(capsys, tmp_path):
    code, out, _ = run(capsys, "atlas")
    assert code == 0
    assert all(name in out for name in gt.activation_names())
    listed = json.loads(run(capsys, "atlas", "--json", "--out", str(tmp_path))[1])["activations"]
    assert {row["name"]: row["width"]["value"] for row in listed}["sigmoid"] == pytest.approx(0.4477432047)
    (softsign,) = (row for row in listed if row["name"] == "softsign")
    assert (softsign["depth_bound"]["exact"], softsign["widens"], softsign["factor"]["exact"]) == ("1", True, "2")
    assert (tmp_path / "catalogue.md").exists()
    assert "pictures" in run(capsys, "atlas", "--out", str(tmp_path))[1]


@pytest.mark.slow
def test_article(capsys, tmp_path):
    code, out, _ = run(capsys, "article", "--out", str(tmp_path))
    assert code == 0
    assert "does not hold" in out
    assert (tmp_path / "article.html").exists()
    assert "article.tex and 4 figures, each as SVG and PDF\n" in out
    assert out.endswith("three times: pdflatex article.tex\n")


def test_lyapunov(capsys):
    code, out, _ = run(capsys, "lyapunov", "sigmoid", "--sigma-w", "4", "--sigma-b", "0.5")
    exponent = gt.lyapunov_exponent("sigmoid", 4, 0.5)
    assert code == 0
    assert f"typical           {exponent.value}" in out
    assert f"float16 layers    {gt.overflow_depth(exponent.growth, 'float16')}" in out
    told = json.loads(run(capsys, "lyapunov", "relu", "--sigma-b", "0", "--json")[1])
    assert (told["typical"], told["float32_layers"]) == ("-inf", gt.overflow_depth(0.0))
    assert told["surviving"] == gt.lyapunov_exponent("relu", 1, 0).surviving_value
    assert told["reason"].startswith("value is -inf: the slope is 0 with positive probability")
    text = run(capsys, "lyapunov", "hardshrink", "--sigma-w", "2", "--lang", "zh")[1]
    assert "理由          典型值为 nan：有些链会遇到零导数" in text
    assert told["mean_square"] == pytest.approx(gt.lyapunov_exponent("relu", 1, 0).mean_square)


def test_edge(capsys):
    code, out, _ = run(capsys, "edge", "tanh", "--sigma-b", "0.3")
    assert code == 0
    assert f"sigma w   {gt.meanfield.edge_of_chaos('tanh', 0.3).sigma_w}" in out
    code, out, _ = run(capsys, "edge", "relu", "--sigma-b", "1")
    assert code == 1
    assert "only for σ_b = 0" in out
    assert json.loads(run(capsys, "edge", "softplus", "--json")[1])["sigma_w"] is None


def test_critical(capsys):
    code, out, _ = run(capsys, "critical", "gelu")
    assert code == 0
    assert "1.40821" in out
    assert "0.41583" in out
    code, out, _ = run(capsys, "critical", "sigmoid", "--json")
    assert code == 1
    assert json.loads(out)["reason"] == gt.meanfield.critical_initialisation("sigmoid").reason


def test_simulate(capsys):
    asked = ("simulate", "sigmoid", "--sigma-w", "2", "--depth", "40", "--chains", "500", "--seed", "3", "--json")
    first, second = (run(capsys, *asked) for _ in range(2))
    assert first == second
    assert run(capsys, *asked[:-2], "4", "--json") != first
    told = json.loads(first[1])
    low, high = told["interval_95"]
    assert low < told["typical_simulated"] < high
    assert told["typical_simulated"] == pytest.approx(told["typical_theory"], abs=0.05)
    assert told["mean_square_simulated"] == pytest.approx(told["mean_square_theory"], abs=0.05)
    dead = json.loads(run(capsys, "simulate", "relu", "--sigma-b", "0", "--chains", "9", "--json")[1])
    assert dead["typical_simulated"] == "-inf"


@pytest.mark.slow
def test_gains_and_that_the_page_in_docs_is_not_stale(capsys, tmp_path):
    code, out, _ = run(capsys, "gains")
    assert code == 0
    assert all(name in out for name in ("tanh", "gelu", "1.59254", "5/3"))
    assert json.loads(run(capsys, "gains", "--out", str(tmp_path), "--json")[1])
    page, in_docs = (folder / "gains.md" for folder in (tmp_path, _DOCS))
    assert page.read_text(encoding="utf-8") == in_docs.read_text(encoding="utf-8"), "run `gradtheory gains --out docs`"


def test_stability(capsys):
    code, out, _ = run(capsys, "stability", "heavy_ball")
    assert code == 0
    assert "2 (1 + β)/h" in out
    asked = ("stability", "heavy_ball", "--beta", "0.9", "--curvature", "10", "--json", "--eta")
    code, out, _ = run(capsys, *asked, "0.37999")
    assert (code, json.loads(out)["stable"]) == (0, True)
    code, out, _ = run(capsys, *asked, "0.38")  # the limit itself, exactly
    assert (code, json.loads(out)["stable"]) == (1, False)


def test_stability_says_what_its_curvature_is(capsys):
    code, out, _ = run(capsys, "stability", "rmsprop", "--eta", "1", "--curvature", "1")
    assert code == 0
    assert "preconditioned: h/(√s + ε)" in out
    assert "0 attracts only for η < 2 ε/h" in out
    told = json.loads(run(capsys, "stability", "rmsprop", "--eta", "1", "--curvature", "1", "--json")[1])
    assert (told["preconditioned"], told["stable"]) == (True, True)
    for name in ("limit", "curvature", "near_zero", "rate"):
        assert name.replace("_", " ") in out
        assert str(told[name]) in out
    assert "preconditioned" in run(capsys, "stability", "--help")[1]
    assert json.loads(run(capsys, "stability", "nesterov", "--json")[1])["preconditioned"] is False


def test_stability_uses_what_it_is_given(capsys):
    told = json.loads(run(capsys, "stability", "heavy_ball", "--beta", "0.9", "--curvature", "10", "--json")[1])
    assert (told["largest_eta"]["exact"], told["at"]["beta"]["value"]) == ("19/50", 0.9)
    assert "weight_decay = 0" in run(capsys, "stability", "adamw", "--beta", "0.9")[1]


def test_train(capsys):
    asked = ("train", "-w", "6,6,6", "-b", "-3,-3,-3", "--eta", "2", "--steps", "50")
    code, out, _ = run(capsys, *asked)
    assert code == 0
    assert "step 0: entry into the explosion set in layer 1" in out
    told = json.loads(run(capsys, *asked, "--json")[1])
    assert (told["steps"], told["diverged"], len(told["loss"]), len(told["w"][0])) == (50, False, 51, 3)
    lost = ("train", "-w", "3,3,3", "--activation", "identity", "-x", "1", "-y", "0", "--eta", "1", "--json")
    told = json.loads(run(capsys, *lost)[1])
    assert told["diverged"]
    assert told["events"][-1]["kind"] == "overflow"
    assert (
        "nothing"
        not in run(capsys, "train", "-w", "1e200,1e200", "-x", "1e200", "-y", "0", "--activation", "identity")[1]
    )
    assert run(capsys, "train", "-w", "1,1", "--optimiser", "adam", "--steps", "3")[0] == 0


@pytest.mark.slow
def test_advise(capsys):
    asked = ("advise", "-w", "8,8,8", "-b", "-4,-4,-4")
    code, out, _ = run(capsys, *asked)
    assert code == 0
    told = json.loads(run(capsys, *asked, "--json")[1])
    assert told["exploding"] == [1, 2, 3]
    assert told["vanishing"] == [each["layer"] for each in told["layers"] if each["vanishing"]] == [1]
    assert "vanishes on 50%" in out
    assert {each["kind"]: each["works"] for each in told["remedies"]}["learning_rate"]
    refused = {each["kind"]: each for each in told["remedies"] if not each["works"]}
    assert refused["clip_weights"]["value"] == [4.0, 4.0, 4.0]
    for remedy in told["remedies"]:
        for text in (f"{remedy['loss_with']:.4g} with it", remedy["promise"], remedy["cost"]):
            assert text in out
    assert "NOT advised" in out


def test_advice_says_why_there_is_none(capsys):
    asked = ("advise", "-w", "-1,-1", "-b", "-5,-5", "--activation", "threshold", "-x", "1", "-y", "0")
    out, told = run(capsys, *asked)[1], json.loads(run(capsys, *asked, "--json")[1])
    assert told["reason"] in out
    assert told["reason"].startswith("nothing is advised")
    lost = json.loads(run(capsys, "advise", "-w", "2,2,2,2", "--activation", "exponential", "--json")[1])
    assert lost["growth"] == "inf"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set", "sigmod", "-w", "7"), "sigmoid"),
        (("stability", "sgd"), "the nearest is 'gradient_descent'"),
        (("derive", "--topic", "widst"), "the nearest is 'widest'"),
        (("set", "sigmoid", "-w", "seven"), "w = 'seven'"),
        (("set", "sigmoid", "-w", "__import__('os').system('ls')"), "w = "),
        (("set", "sigmoid"), "-w"),
        (("set", "sigmoid", "-w", "7", "-c", "0"), "threshold"),
        (("set", "sigmoid", "-w", "7", "--nope"), "--nope"),
        (("set", "-w", "7"), "--expr"),
        (("set", "sigmoid", "--expr", "z", "-w", "7"), "--expr"),
        (("set", "--expr", "z.real", "-w", "7"), "expression"),
        (("set", "--expr", "1 + 2", "-w", "7"), "exactly one symbol"),
        (("set", "--expr", "1/z", "-w", "7"), "finite and real"),
        (("widest", "sigmoid", "--digits", "0"), "digits"),
        (("widest", "sigmoid", "--digits", "many"), "digits"),
        (("derive", "--depth", "0"), "depth"),
        (("derive", "--depth", "three"), "depth"),
        (("derive", "--depth", "1" * 24), "depth"),
        (("derive", "--depth", "3", "--wrt", "w4"), "layer"),
        (("derive", "--depth", "3", "--wrt", "z1"), "wrt"),
        (("derive", "--depth", "3", "--format", "pdf"), "format"),
        (("derive", "--depth", "3", "--activation", "tanh", "--loss", "cross_entropy"), "loss"),
        (("derive", "--depth", "2", "--activation", "tanh", "--expr", "z"), "either ACT"),
        (("derive", "--depth", "L", "--wrt", "banana"), "wrt = 'banana': must be 'all' or left out for L layers"),
        (("derive", "--depth", "L", "--wrt", "x"), "wrt = 'x': must be 'all' or left out for L layers"),
        (("derive", "--topic", "widest", "--wrt", "w1"), "wrt = 'w1': is not used by 'widest'"),
        (("derive", "--topic", "widest", "--depth", "9"), "depth = 9: is not used by 'widest'"),
        (("set", "--expr", "tanh(z)+5*exp(-(z-103)**2)", "-w", "1/2", "--effort", "0.01"), "ask again with effort=0.1"),
        (("derive", "--activation", "tanh", "--loss", "cross_entropy"), "and tanh has values from -1 to 1"),
        (("widest", "--expr", "sign(z)"), "activation = 'sign(z)': has the slope 0"),
        (("verify", "nofile.json"), "file = 'nofile.json': cannot be read: No such file"),
        (("derive", "--depth", "2", "--value", "x"), "value = 'x'"),
        (("derive", "--depth", "2", "-o", "/dev/null/x.md"), "output = '/dev/null/x.md': must be a file that can be"),
        (("derive", "-o", "x.tex", "--format", "html"), "format = 'html': must be that of the file's suffix, tex"),
        (
            ("derive", "--topic", "explosion", "--value", "w=7"),
            "value = 'w=7': must be all of w, b, c, or none: b, c left",
        ),
        (("derive", "--topic", "explosion", "--value", "w=7", "--value", "b=1", "--value", "c=x"), "values['c'] = 'x'"),
        (("derive", "--letter", "x=x1"), "letter = 'x=x1': must be one letter"),
        (("derive", "--depth", "2", "-o", "x.doc"), "path"),
        (("fact", "nope"), "fact"),
        (("article", "--out", "/dev/null/x"), "out = '/dev/null/x': must be a folder"),  # before it builds the article
        (("atlas", "--out", "/dev/null/x"), "out"),
        (("gains", "--out", "/dev/null/x"), "out"),
        (("lyapunov", "tanh", "--sigma-w", "-1"), "sigma_w = -1.0"),
        (("lyapunov", "tanh", "--sigma-w", "wide"), "sigma_w = 'wide': must be one finite real number"),
        (("lyapunov", "exponential"), "exponential"),
        (("edge", "tanh", "--sigma-b", "-0.1"), "sigma_b = -0.1"),
        (("edge", "tahn"), "tanh"),
        (("critical",), "--expr"),
        (("simulate", "tanh", "--depth", "0"), "depth"),
        (("simulate", "tanh", "--depth", "0.5"), "depth"),
        (("simulate", "tanh", "--chains", "0"), "chains = 0"),
        (("simulate", "tanh", "--seed", "-1"), "seed"),
        (("stability", "sgd"), "heavy_ball"),
        (("stability", "adam", "--eta", "fast"), "eta = 'fast'"),
        (("stability", "heavy_ball", "--beta", "1.5"), "beta = '1.5': must lie in [0, 1)"),
        (("stability", "rmsprop", "--beta", "0.5", "--eta", "1"), "beta = '0.5': must not be given"),
        (("stability", "adam", "--curvature", "0"), "curvature = '0'"),
        (("train", "-w", "6,x"), "weights = 'x'"),
        (("train", "-w", "6,6", "-b", "1"), "biases = '1'"),
        (("train", "-w", "6", "-x", "1,2", "-y", "1"), "targets = '1'"),
        (("train", "-w", "6", "--eta", "-1"), "eta = -1"),
        (("train", "-w", "6", "--steps", "-1"), "steps"),
        (("train", "-w", "6", "--activation", "tahn"), "tanh"),
        (("advise",), "-w"),
        (("total", "sigmoid"), "-w"),
        (("total", "sigmoid", "-w", "5,5", "-b", "1,2,3"), "biases = '1,2,3'"),
        (
            ("total", "sigmoid", "-w", "5,2", "--depth", "3"),
            "weights = '5,2': must be one number, or as many as layers",
        ),
        (("total", "sigmoid", "-w", "5", "--depth", "0"), "depth = 0"),
        (("total", "sigmoid", "-w", "5", "--depth", "2", "-c", "0"), "threshold = '0'"),
        (
            ("total", "gelu", "-w", "2,2", "--certificate", "no.json"),
            "activation = 'gelu': must be in class N",
        ),
        (("explode",), "explode"),
    ],
)
def test_bad_input_is_one_line_and_code_2(capsys, arguments, said):
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("gradtheory: ")
    assert said in err


def test_help_teaches(capsys):
    for command in ([], *([name] for name in app.commands)):
        result = CliRunner().invoke(app, [*command, "--help"])
        assert result.exit_code == 0
        assert "Usage" in result.output
    assert "Example: gradtheory set" in CliRunner().invoke(app, ["set", "--help"]).output
    assert main([]) == 0
    assert "Start with" in capsys.readouterr().out


def test_as_a_program():
    process = subprocess.run(
        [sys.executable, "-c", "import sys; from gradtheory.cli import main; sys.exit(main())", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert gt.__version__ in process.stdout


def test_a_certificate_is_written_and_verified(capsys, tmp_path):
    path = tmp_path / "proof.json"
    assert run(capsys, "set", "gelu", "-w", "-12", "-b", "0.3", "--certificate", str(path))[0] == 0
    code, out, _ = run(capsys, "verify", str(path))
    assert code == 0
    assert out.splitlines()[0].split(maxsplit=1) == ["verdict", "verified on the whole line"]
    tampered = path.read_text().replace('"threshold": "1"', '"threshold": "2"')
    path.write_text(tampered)
    code, out, _ = run(capsys, "verify", str(path), "--json")
    assert code == 1
    assert json.loads(out)["reason"]
    code, out, err = run(capsys, "verify", str(tmp_path / "none.json"))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    path.write_text("[" * 100_000)
    assert run(capsys, "verify", str(path))[0] == 2
    assert run(capsys, "set", "tanh", "-w", "2", "--certificate", str(path / "x"))[0] == 2


@pytest.mark.slow
def test_your_own_activation_as_text(capsys):
    expr = "z*sigmoid(1.702*z)"
    assert run(capsys, "width", "--expr", "tanh(z)", "-w", "2", "--json")[0] == 0
    own = json.loads(run(capsys, "set", "--expr", expr, "-w", "2", "--json")[1])
    named = json.loads(run(capsys, "set", "quick_gelu", "-w", "2", "--json")[1])
    assert own == named
    assert run(capsys, "widest", "--expr", "tanh(z)")[1].splitlines()[0].startswith("width")
