"""The article: verdicts follow from what is claimed, and the documents are whole."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from gradtheory.document import render
from gradtheory.pages import article
from gradtheory.pages.article import ClaimVerdict

_EXPECTED = {
    "depth": ClaimVerdict.HOLDS,
    "factor": ClaimVerdict.CORRECTED,
    "maximum": ClaimVerdict.HOLDS,
    "saturation": ClaimVerdict.FAILS,
    "weights": ClaimVerdict.CORRECTED,
    "critical": ClaimVerdict.HOLDS,
    "interval": ClaimVerdict.HOLDS,
    "widest": ClaimVerdict.HOLDS,
    "narrow": ClaimVerdict.EVERY_DEPTH,
    "large_initialisation": ClaimVerdict.CORRECTED,
    "schemes": ClaimVerdict.HOLDS,
    "relu": ClaimVerdict.CORRECTED,
    "step_size": ClaimVerdict.HOLDS,
    "momentum": ClaimVerdict.CORRECTED,
    "overflow": ClaimVerdict.HOLDS,
    "weight_decay": ClaimVerdict.HOLDS,
    "clipping": ClaimVerdict.HOLDS,
}
_CLAIMS = {claim.name: claim for claim in article.CLAIMS}


@pytest.fixture(scope="module", params=["en", "zh"])
def built(request):
    return article.build(request.param)


@pytest.fixture(scope="module")
def folder(built, tmp_path_factory):
    target = tmp_path_factory.mktemp("article")
    assert len(list(built.write(target))) == 8
    return target


@pytest.mark.slow
def test_verdicts():
    assert {name: claim.finding().verdict for name, claim in _CLAIMS.items()} == _EXPECTED


@pytest.mark.parametrize(
    ("claim", "changed", "verdict"),
    [
        ("depth", {"sufferer": "output"}, ClaimVerdict.FAILS),
        ("depth", {"growth": "linear"}, ClaimVerdict.FAILS),
        ("factor", {"suffices": False}, ClaimVerdict.HOLDS),
        ("factor", {"weights": (6, 6)}, ClaimVerdict.HOLDS),
        ("maximum", {"value": "1/3"}, ClaimVerdict.FAILS),
        ("maximum", {"value": "0.24999999999999999999"}, ClaimVerdict.FAILS),
        ("saturation", {"reaches": "0.005"}, ClaimVerdict.HOLDS),
        ("weights", {"below": 40, "factor": 10}, ClaimVerdict.CORRECTED),
        ("critical", {"weight": 5}, ClaimVerdict.FAILS),
        ("critical", {"weight": "3.99"}, ClaimVerdict.FAILS),
        ("interval", {"half_width": lambda w: w - 4}, ClaimVerdict.FAILS),
        pytest.param("widest", {"width": "0.44"}, ClaimVerdict.FAILS, marks=pytest.mark.slow),
        pytest.param("widest", {"width": "0.4477"}, ClaimVerdict.HOLDS, marks=pytest.mark.slow),
        pytest.param("widest", {"weight": "7.0"}, ClaimVerdict.FAILS, marks=pytest.mark.slow),
        pytest.param("widest", {"weight": "6.89415"}, ClaimVerdict.HOLDS, marks=pytest.mark.slow),
        ("narrow", {"width": "0.44"}, ClaimVerdict.FAILS),
        ("narrow", {"width": "0.4477"}, ClaimVerdict.EVERY_DEPTH),
        ("narrow", {"activation_name": "softsign", "width": "0.5"}, ClaimVerdict.CORRECTED),
        ("narrow", {"activation_name": "gelu"}, ClaimVerdict.FAILS),
        pytest.param("large_initialisation", {"scale": 1}, ClaimVerdict.FAILS, marks=pytest.mark.slow),
        pytest.param("large_initialisation", {"explodes": ("relu",)}, ClaimVerdict.HOLDS, marks=pytest.mark.slow),
        ("schemes", {"fan_in": 1}, ClaimVerdict.FAILS),
        ("relu", {"activation_name": "tanh"}, ClaimVerdict.FAILS),
        ("relu", {"slope": 2}, ClaimVerdict.FAILS),
        ("step_size", {"share": "0.9"}, ClaimVerdict.FAILS),
        ("momentum", {"optimisers": ("heavy_ball",)}, ClaimVerdict.HOLDS),
        ("momentum", {"optimisers": ("nesterov",)}, ClaimVerdict.FAILS),
        ("overflow", {"weight": "0.5"}, ClaimVerdict.FAILS),
        pytest.param("weight_decay", {"share": "0.5"}, ClaimVerdict.FAILS, marks=pytest.mark.slow),
        ("clipping", {"stops": ("overflow", "factors")}, ClaimVerdict.CORRECTED),
        ("clipping", {"max_norm": "1e200"}, ClaimVerdict.FAILS),
        ("relu", {"activation_name": "gelu"}, ClaimVerdict.CORRECTED),
    ],
)
def test_another_number_gets_another_verdict(claim, changed, verdict):
    assert _CLAIMS[claim].finding(**changed).verdict is verdict


@pytest.mark.slow
def test_every_step_is_checked_by_the_machinery():
    for claim in article.CLAIMS:
        for step in claim.finding().steps:
            assert step.check is not None, (claim.name, str(step), step.verdict.reason)


@pytest.mark.slow
def test_html_is_self_contained(folder):
    text = (folder / "article.html").read_text(encoding="utf-8")

    class Checker(HTMLParser):
        links, math = [], 0

        def handle_starttag(self, tag, attributes):
            self.math += tag == "math"
            self.links += [value for key, value in attributes if key in ("src", "href", "xlink:href", "action")]
            assert tag not in ("script", "iframe", "img", "object")

    checker = Checker()
    checker.feed(text)
    assert checker.math > 60
    assert all(link.startswith("#") or link == "data:," for link in checker.links)
    assert text.count("<svg") == 3
    visible = re.sub(r"<(style|svg|math).*?</\1>", "", text, flags=re.DOTALL)
    assert "$" not in visible
    assert "{{" not in text
    assert ("does not hold" in text) or ("不成立" in text)


@pytest.mark.slow
def test_latex_has_every_formula_and_figure(folder):
    text = (folder / "article.tex").read_text(encoding="utf-8")
    assert "<<" not in text
    assert "{{ " not in text
    assert text.count(r"\includegraphics") == 3
    assert r"K\left(\sigma\right) \approx 0.447743204694302849178324240970" in text
    for name in re.findall(r"\{(\w+\.pdf)\}", text):
        assert (folder / name).stat().st_size > 1000
    assert (folder / "sigmoid.svg").read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.slow
def test_the_same_article_is_the_same_file(built, folder):
    assert render(built.document, ".html") == (folder / "article.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_latex_compiles_without_warnings_of_references(built, folder):
    engine = {"en": "pdflatex", "zh": "xelatex"}[built.lang]
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed (Debian: texlive-xetex texlive-lang-chinese)")
    command = [engine, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "article.tex"]
    for _ in range(2):
        process = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    output = process.stdout.decode(errors="replace")
    assert "undefined" not in output
    assert "Rerun" not in output
    assert "Overfull" not in output
