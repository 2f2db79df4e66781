"""The article: verdicts follow from what is claimed, and the documents are whole."""

import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser

import pytest

from gradtheory.document import Figure, Formula, Paragraph, render
from gradtheory.document.messages import words
from gradtheory.pages import article
from gradtheory.pages.article import ClaimVerdict
from gradtheory.pages.article.chain import SETTING_STEPS
from tests.pages.built import built

_HOLDS, _CORRECTED, _FAILS = ClaimVerdict.HOLDS, ClaimVerdict.CORRECTED, ClaimVerdict.FAILS
_EXPECTED = {
    "depth": _CORRECTED,
    "near_output": _FAILS,
    "tails": _CORRECTED,
    "saturation": _FAILS,
    "large_initialisation": _HOLDS,
    "step_size": _HOLDS,
    "loss": _HOLDS,
    "gradients": _HOLDS,
    "between_layers": _HOLDS,
    "wide": _HOLDS,
    "maximum": _HOLDS,
    "standard_method": _FAILS,
    "weights": _CORRECTED,
    "vanishing": _CORRECTED,
    "factor": _CORRECTED,
    "critical": _HOLDS,
    "interval": _HOLDS,
    "widest": _HOLDS,
    "narrow": ClaimVerdict.EVERY_DEPTH,
    "overflow": _HOLDS,
    "jumps": _HOLDS,
    "weight_decay": _HOLDS,
    "lasso": _HOLDS,
    "clipping": _HOLDS,
    "steep": _CORRECTED,
    "relu": _CORRECTED,
    "variants": _CORRECTED,
    "schemes": _HOLDS,
    "fans": _FAILS,
    "gains": _CORRECTED,
    "momentum": _CORRECTED,
}
_CLAIMS = {claim.name: claim for claim in article.CLAIMS}


@pytest.fixture(scope="module", params=["en", "zh"])
def one(request):
    return built(request.param)


@pytest.fixture(scope="module")
def folder(one, tmp_path_factory):
    target = tmp_path_factory.mktemp("article")
    assert len(list(one.write(target))) == 10
    return target


@pytest.mark.slow
def test_verdicts():
    assert {name: claim.finding().verdict for name, claim in _CLAIMS.items()} == _EXPECTED


@pytest.mark.parametrize(
    ("claim", "changed", "verdict"),
    [
        ("depth", {"sufferer": "output"}, ClaimVerdict.FAILS),
        ("depth", {"growth": "linear"}, ClaimVerdict.FAILS),
        ("depth", {"weights": (8, 8, 8, 8)}, ClaimVerdict.HOLDS),
        ("factor", {"suffices": False}, ClaimVerdict.HOLDS),
        ("factor", {"weights": (6, 6)}, ClaimVerdict.HOLDS),
        ("maximum", {"value": "1/3"}, ClaimVerdict.FAILS),
        ("maximum", {"value": "0.24999999999999999999"}, ClaimVerdict.FAILS),
        ("saturation", {"reaches": "0.005"}, ClaimVerdict.HOLDS),
        ("weights", {"below": 40, "factor": 10}, ClaimVerdict.CORRECTED),
        ("critical", {"weight": 5}, ClaimVerdict.FAILS),
        ("critical", {"weight": "3.99"}, ClaimVerdict.FAILS),
        ("interval", {"logarithm": lambda w: w - 4}, ClaimVerdict.FAILS),
        pytest.param("widest", {"width": "0.44"}, ClaimVerdict.FAILS, marks=pytest.mark.slow),
        pytest.param("widest", {"width": "0.4477"}, ClaimVerdict.HOLDS, marks=pytest.mark.slow),
        pytest.param("widest", {"weight": "7.0"}, ClaimVerdict.FAILS, marks=pytest.mark.slow),
        pytest.param("widest", {"weight": "6.89415"}, ClaimVerdict.HOLDS, marks=pytest.mark.slow),
        ("narrow", {"width": "0.44"}, ClaimVerdict.FAILS),
        ("narrow", {"width": "0.4477"}, ClaimVerdict.EVERY_DEPTH),
        ("narrow", {"activation_name": "softsign", "width": "0.5"}, ClaimVerdict.CORRECTED),
        ("narrow", {"activation_name": "gelu"}, ClaimVerdict.FAILS),
        pytest.param("large_initialisation", {"scale": 1}, ClaimVerdict.FAILS, marks=pytest.mark.slow),
        pytest.param(
            "large_initialisation", {"scale": 10, "explodes": ("chain",)}, ClaimVerdict.FAILS, marks=pytest.mark.slow
        ),
        pytest.param(
            "large_initialisation",
            {"scale": 10, "explodes": ("wide_sigmoid",)},
            ClaimVerdict.FAILS,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "large_initialisation",
            {"scale": "10.15", "explodes": ("wide_sigmoid",)},
            ClaimVerdict.HOLDS,
            marks=pytest.mark.slow,
        ),
        ("near_output", {"activation_name": "silu"}, ClaimVerdict.CORRECTED),
        ("tails", {"reaches": "1/4"}, ClaimVerdict.FAILS),
        ("loss", {"enters": 4}, ClaimVerdict.FAILS),
        ("gradients", {"factor": "3/2"}, ClaimVerdict.FAILS),
        ("gradients", {"weight": 6, "factor": "3/2"}, ClaimVerdict.HOLDS),
        ("between_layers", {"factors": ("weight",)}, ClaimVerdict.FAILS),
        ("between_layers", {"factors": ("weight", "slope")}, ClaimVerdict.HOLDS),
        ("wide", {"transposed": False}, ClaimVerdict.FAILS),
        ("standard_method", {"scale": 2}, ClaimVerdict.FAILS),
        ("standard_method", {"fans": (1,)}, ClaimVerdict.HOLDS),
        ("vanishing", {"scale": 5}, ClaimVerdict.FAILS),
        ("vanishing", {"scale": 3}, ClaimVerdict.CORRECTED),
        ("vanishing", {"on": ("mean_square",)}, ClaimVerdict.HOLDS),
        ("jumps", {"rate": "0.1"}, ClaimVerdict.FAILS),
        ("jumps", {"calm": 1}, ClaimVerdict.FAILS),
        pytest.param("lasso", {"leaves": "useful"}, ClaimVerdict.CORRECTED, marks=pytest.mark.slow),
        pytest.param("lasso", {"leaves": "useful", "share": "0.1"}, ClaimVerdict.HOLDS, marks=pytest.mark.slow),
        ("steep", {"criterion": "share"}, ClaimVerdict.HOLDS),
        ("steep", {"criterion": "deep_share"}, ClaimVerdict.HOLDS),
        ("variants", {"names": ("relu", "leaky_relu", "elu", "selu")}, ClaimVerdict.HOLDS),
        ("variants", {"names": ("gelu", "silu")}, ClaimVerdict.FAILS),
        ("fans", {"enters": ("fan_in", "fan_out")}, ClaimVerdict.HOLDS),
        ("fans", {"enters": ("layers", "fan_in")}, ClaimVerdict.CORRECTED),
        ("gains", {"names": ("relu",)}, ClaimVerdict.FAILS),
        ("schemes", {"fan_in": 1}, ClaimVerdict.FAILS),
        ("relu", {"activation_name": "tanh"}, ClaimVerdict.FAILS),
        ("relu", {"against": ("sigmoid",)}, ClaimVerdict.FAILS),
        ("relu", {"against": ("gelu",)}, ClaimVerdict.HOLDS),
        ("relu", {"slope": 2}, ClaimVerdict.FAILS),
        ("step_size", {"share": "0.9"}, ClaimVerdict.FAILS),
        ("momentum", {"optimisers": ("heavy_ball",)}, ClaimVerdict.HOLDS),
        ("momentum", {"optimisers": ("nesterov",)}, ClaimVerdict.FAILS),
        ("overflow", {"weight": "0.5"}, ClaimVerdict.FAILS),
        pytest.param("weight_decay", {"leaves": "useful"}, ClaimVerdict.CORRECTED, marks=pytest.mark.slow),
        pytest.param("weight_decay", {"leaves": "useful", "share": "0.1"}, ClaimVerdict.HOLDS, marks=pytest.mark.slow),
        ("weight_decay", {"share": "0.00001"}, ClaimVerdict.FAILS),
        ("lasso", {"share": "0.00001"}, ClaimVerdict.FAILS),
        ("clipping", {"stops": ("long_steps", "infinite_gradients")}, ClaimVerdict.CORRECTED),
        ("clipping", {"stops": ("long_steps", "factors")}, ClaimVerdict.CORRECTED),
        ("clipping", {"max_norm": "1e200"}, ClaimVerdict.FAILS),
        ("relu", {"activation_name": "sigmoid", "slope": 0, "against": ("tanh", "relu")}, ClaimVerdict.FAILS),
        ("relu", {"activation_name": "leaky_relu", "against": ("selu",)}, ClaimVerdict.HOLDS),
        ("relu", {"activation_name": "gelu", "against": ("relu",)}, ClaimVerdict.FAILS),
    ],
)
def test_another_number_gets_another_verdict(claim, changed, verdict):
    assert _CLAIMS[claim].finding(**changed).verdict is verdict


@pytest.mark.slow
def test_every_step_is_checked_by_the_machinery():
    for claim in article.CLAIMS:
        for step in claim.finding().steps:
            assert step.check is not None, (claim.name, str(step), step.verdict.reason)


def test_the_steps_before_the_claims_are_proven_for_every_depth():
    assert [step.verdict.status for step in SETTING_STEPS] == ["exact"] * 5
    assert all(step.chain_rule.chain.is_symbolic for step in SETTING_STEPS)


@pytest.mark.slow
def test_reasons_refer_to_steps_by_their_numbers(one):
    shown = {block.number: block for block in one.document.blocks if isinstance(block, Formula) and block.number}
    referred = [int(number) for block in shown.values() for number in re.findall(r"@\{eq:(\d+)\}", block.reason)]
    assert not any(re.search(r"@\{(?!eq:\d+\})", block.reason) for block in shown.values())
    at_rest = next(
        number for number, block in shown.items() if block.rows == (("\\sigma'\\left(0\\right)", r"= \frac{1}{4}"),)
    )
    assert referred.count(at_rest) == 4
    assert set(referred) <= set(shown)


@pytest.mark.slow
def test_figures_are_referred_to_by_their_numbers(one):
    names = [block.name for block in one.document.blocks if isinstance(block, Figure)]
    said = " ".join(block.text for block in one.document.blocks if isinstance(block, Paragraph))
    referred = set(re.findall(r"\[\D+(\d+)\]\(fig:(\w+)\)", said))
    assert referred == {("2", "layers"), ("3", "sigmoid")}
    assert all(names[int(number) - 1] == name for number, name in referred)
    assert "@{" not in re.sub(r"@\{eq:\d+\}", "", said)


@pytest.mark.slow
def test_no_step_is_shown_twice(one):
    blocks = one.document.blocks
    shown = [block for block in blocks if isinstance(block, Formula) and block.number is not None]
    assert [block.number for block in shown] == list(range(1, len(shown) + 1))
    said = Counter((block.rows, block.condition, re.match(r"\*\w+\*|", block.reason)[0]) for block in shown)
    assert said.most_common(1)[0][1] == 1
    again = [block for block in blocks if isinstance(block, Formula) and block.number is None and block.reason]
    assert len(again) > 5
    for block in again:
        before = shown[int(re.search(r"@\{eq:(\d+)\}", block.reason)[1]) - 1]
        assert (block.rows, block.condition) == (before.rows, before.condition)


@pytest.mark.slow
def test_a_step_that_is_shown_again_has_its_reason_where_that_is_another(one):
    """The greatest slope is proven before the claims; the first that uses it says in other words why it holds."""
    catalogue = words(one.lang)
    blocks = [block for block in one.document.blocks if isinstance(block, Formula)]
    proof, again, *_ = (block.reason for block in blocks if block.plain() == "sup|σ'| = 1/4")
    assert proof.endswith(catalogue["rules"]["greatest_of_ends"])
    assert "@{eq:" in again
    assert again.endswith(catalogue["rules"]["slope_bound"])


@pytest.mark.slow
def test_html_is_self_contained(folder):
    text = (folder / "article.html").read_text(encoding="utf-8")

    class Checker(HTMLParser):
        links, places, math = [], [], 0

        def handle_starttag(self, tag, attributes):
            self.math += tag == "math"
            self.links += [value for key, value in attributes if key in ("src", "href", "xlink:href", "action")]
            self.places += [value for key, value in attributes if key == "id"]
            assert tag not in ("script", "iframe", "img", "object")

    checker = Checker()
    checker.feed(text)
    assert checker.math > 200
    assert all(link.startswith("#") or link == "data:," for link in checker.links)
    referred = {link[1:] for link in checker.links if link.startswith("#") and ":" in link}
    assert referred <= set(checker.places)
    assert {"claim:narrow", "fig:layers"} <= referred
    assert text.count("<svg") == 4
    visible = re.sub(r"<(style|svg|math).*?</\1>", "", text, flags=re.DOTALL)
    assert "$" not in visible
    assert "{{" not in text
    assert ("does not hold" in text) or ("不成立" in text)


@pytest.mark.slow
def test_latex_has_every_formula_and_figure(folder):
    text = (folder / "article.tex").read_text(encoding="utf-8")
    assert "<<" not in text
    assert "{{ " not in text
    assert text.count(r"\includegraphics") == 4
    assert r"K\left(\sigma\right) \approx 0.447743204694302849178324240970" in text
    for name in re.findall(r"\{(\w+\.pdf)\}", text):
        assert (folder / name).stat().st_size > 1000
    assert (folder / "sigmoid.svg").read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.slow
def test_the_same_article_is_the_same_file(one, folder):
    assert render(article.build(one.lang).document, ".html") == (folder / "article.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_latex_compiles_without_warnings_of_references(one, folder):
    engine = {"en": "pdflatex", "zh": "xelatex"}[one.lang]
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed (Debian: texlive-xetex texlive-lang-chinese)")
    command = [engine, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "article.tex"]
    for _ in range(3):  # as the command says
        process = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    output = process.stdout.decode(errors="replace")
    assert "undefined" not in output
    assert "Rerun" not in output
    assert "Overfull" not in output
