"""Documents for real: TeX compiles them, a browser opens them, notebooks run; text from outside stays text."""

import base64
import dataclasses
import html
import io
import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import sympy
from fontTools.ttLib import TTFont
from nbclient import NotebookClient

import gradtheory as gt
from gradtheory.derivation.topics import TOPICS
from gradtheory.document import FORMATS, Document, Formula, Heading, Paragraph, pdf, render, save
from gradtheory.document.formats import to_markdown, to_text
from gradtheory.document.messages import LANGUAGES
from gradtheory.document.model import Code, Figure, Table
from gradtheory.errors import InvalidArgument, MissingProgram
from tests.derivation.derived import derived
from tests.pages.built import built
from tests.shapes import slow_except

_ENGINES = {"en": "pdflatex", "zh": "xelatex"}
_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_DEPTH = sympy.Symbol("L", integer=True, positive=True)


def _needs(engine):
    return pytest.mark.skipif(
        shutil.which(engine) is None, reason=f"{engine} is not installed (Debian: texlive-xetex texlive-lang-chinese)"
    )


def _derivations():
    for topic in TOPICS:
        yield topic, None, {}
    yield "gradient", "gelu", {"depth": 40}
    yield "gradient", "tanh", {"depth": _DEPTH}
    yield "gradient", "gelu", {"depth": 2, "values": {"x": "0.5", "y": 1, "w1": -2, "b1": "1/3", "w2": 3, "b2": 0}}
    yield "explosion", "gelu", {}
    yield "explosion", "hard_sigmoid", {}
    yield "explosion", "sigmoid", {"values": {"w": 7, "b": "-0.3", "c": 1}}
    yield "slope_maximum", "elu", {}
    yield "stability", None, {"optimiser": "gradient_descent"}
    yield "stability", None, {"optimiser": "nesterov"}
    yield "stability", None, {"optimiser": "adamw"}


_CASES = list(_derivations())


@pytest.fixture(scope="module")
def documents():
    """Every derivation, checked once for both languages."""
    return [
        derived(topic, **({"activation": activation} if activation else {}), **more)
        for topic, activation, more in _CASES
    ]


def _in(derivation, lang):
    other = dataclasses.replace(derivation, lang=lang)
    return other.document


@pytest.mark.slow
@pytest.mark.parametrize("lang", [pytest.param(lang, marks=_needs(_ENGINES[lang])) for lang in LANGUAGES])
def test_latex_of_every_derivation_compiles(documents, lang, tmp_path):
    """All of them in one document: each is a section, and its labels are its own."""
    preambles, sections = set(), []
    for number, derivation in enumerate(documents):
        head, _, body = render(_in(derivation, lang), ".tex").partition("\\begin{document}\\fit\n\\maketitle\n")
        (title,) = re.findall(r"^\\title\{(.*)\}$", head, flags=re.MULTILINE)
        preambles.add(head.replace(title, ""))
        content = body.removesuffix("\\end{document}").replace("{eq:", f"{{eq:{number}:")
        sections.append(f"\\section*{{{title}}}\n{content}")
    (preamble,) = preambles
    text = "\n".join([preamble, "\\begin{document}\\fit", *sections, "\\end{document}"])
    assert text.count("\\label{eq:") == sum(len(derivation.steps) for derivation in documents)
    (tmp_path / "all.tex").write_text(text, encoding="utf-8")
    command = [_ENGINES[lang], "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    output = "Rerun"
    for _ in range(5):
        if "Rerun" in output:
            process = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
            output = process.stdout.decode(errors="replace")
            assert process.returncode == 0, output[-2000:]
    assert "undefined" not in output
    assert "multiply defined" not in output
    assert "Rerun" not in output
    assert (tmp_path / "all.pdf").read_bytes().startswith(b"%PDF")


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.labels, self.maths, self.tags = [], set(), 0, set()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.maths += tag == "math"
        given = dict(attributes)
        self.links += [given[key] for key in ("src", "href", "xlink:href", "action") if key in given]
        self.labels |= {given["id"]} if "id" in given else set()


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_html_is_whole_and_its_references_lead_somewhere(documents, lang):
    for derivation in documents:
        text = render(_in(derivation, lang), ".html")
        page = _Page()
        page.feed(text)
        assert page.maths >= len(derivation.steps)
        assert not page.tags & {"script", "iframe", "img", "object", "form"}
        inside = [link for link in page.links if link != "data:,"]
        assert all(link.startswith("#") and link[1:] in page.labels for link in inside), inside
        visible = re.sub(r"<(style|svg|math|pre).*?</\1>", "", text, flags=re.DOTALL)
        assert not re.search(r"\$|\{\{|@\{|\\[a-z]", visible)


@pytest.mark.slow
@pytest.mark.skipif(_CHROMIUM is None, reason="chromium is not installed (Debian: chromium)")
def test_a_browser_shows_the_formulas_without_network_or_errors(documents, tmp_path):
    pages = {f"{number}": render(_in(each, "zh"), ".html") for number, each in enumerate(documents[:6:3])}
    pages["article"] = render(built("zh").document, ".html")
    for name, text in pages.items():
        path, log = tmp_path / f"{name}.html", tmp_path / f"{name}.json"
        path.write_text(text, encoding="utf-8")
        command = [_CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"]
        command += [f"--user-data-dir={tmp_path / 'profile'}", f"--log-net-log={log}", path.as_uri()]
        process = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        assert "CONSOLE" not in process.stderr
        assert process.stdout.count("<math") == text.count("<math") > 10
        logged = log.read_text(encoding="utf-8")
        addresses = set(re.findall(r'"url":"((?:https?|wss?|ftp)://[^"]*)"', logged))
        ours = {each for each in addresses if not re.match(r"https?://[\w.-]*(google|gvt1|chromium)[\w.-]*/", each)}
        assert not ours  # a browser of its own accord asks its maker for updates


_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>/usr/share/fonts</dir>
<dir>/usr/share/texmf/fonts</dir><dir>/usr/share/texlive/texmf-dist/fonts</dir>{rejected}<cachedir>{cache}</cachedir></fontconfig>"""
_REJECTED = "<selectfont><rejectfont><glob>*[Mm]ath*</glob></rejectfont></selectfont>"


@pytest.mark.slow
@pytest.mark.skipif(_CHROMIUM is None, reason="chromium is not installed (Debian: chromium)")
@pytest.mark.parametrize("lang", LANGUAGES)
def test_pages_look_the_same_without_mathematical_fonts_on_the_machine(documents, lang, tmp_path):
    pages = [render(_in(derivation, lang), ".html") for derivation in documents[:6:3]]
    if lang == "zh":  # its formulas are the same in English
        pages.append(render(built(lang).document, ".html"))
    for number, text in enumerate(pages):
        path = tmp_path / f"{number}.html"
        path.write_text(text, encoding="utf-8")
        pictures = []
        for name, rejected in (("all", ""), ("few", _REJECTED)):
            fonts, picture = tmp_path / f"{name}.conf", tmp_path / f"{number}-{name}.png"
            fonts.write_text(_FONTS.format(rejected=rejected, cache=tmp_path / name), encoding="utf-8")
            command = [
                _CHROMIUM,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--virtual-time-budget=10000",
            ]
            command += ["--window-size=900,3000", f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={picture}"]
            environment = os.environ | {"FONTCONFIG_FILE": str(fonts)}
            subprocess.run([*command, path.as_uri()], env=environment, capture_output=True, timeout=120, check=True)
            pictures.append(plt.imread(picture))
        assert np.mean(np.abs(pictures[0] - pictures[1]).max(axis=-1) > 0.1) < 1e-4  # of all pixels


@pytest.mark.slow
def test_a_page_brings_a_font_with_the_characters_of_its_formulas(documents):
    text = render(_in(documents[0], "en"), ".html")
    data = re.search(r"url\(data:font/woff2;base64,([A-Za-z0-9+/=]+)\)", text)[1]
    font = TTFont(io.BytesIO(base64.b64decode(data)))
    assert "MATH" in font
    maths = "".join(re.findall(r">([^<]+)<", "".join(re.findall(r"<math.*?</math>", text, flags=re.DOTALL))))
    characters = {ord(character) for character in html.unescape(maths) if not character.isspace()}
    assert len(characters) > 20
    assert characters <= font.getBestCmap().keys()
    assert {0x221A, 0x1D467, 0x1D6FF} <= font.getBestCmap().keys()  # a root, and the italic z and δ of a browser


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 7])
def test_notebooks_run(documents, place):
    notebook = nbformat.reads(render(_in(documents[place], "en"), ".ipynb"), as_version=4)
    nbformat.validate(notebook)
    done = NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    outputs = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
    assert "Tally(true=" in outputs[-1]["data"]["text/plain"]
    assert "unknown=0, false=0" in outputs[-1]["data"]["text/plain"]


@pytest.mark.slow
def test_long_products_break_across_lines():
    text = gt.derive("gradient", depth=40).to_latex()
    rows = [line for line in text.splitlines() if r"\notag" in line]
    assert len(rows) == 10
    assert max(map(len, rows)) < 460
    assert r"\left. \frac{d}{d" not in text
    assert r"\xi" not in text


@pytest.mark.slow
def test_the_condition_of_a_formula_in_rows_stands_in_the_middle_below_it():
    _, *below = gt.derive("explosion").to_latex().split(r"\end{aligned} \label{eq:6}")
    assert [each.split(r"\end{gather}")[0].splitlines()[1:] for each in below] == [
        [r"\left(\left|{w}\right| > 4 c\right) \notag"]
    ]


@pytest.mark.slow
def test_formats_agree_on_numbers_and_references():
    derivation = gt.derive("gradient", depth=2)
    count = len(derivation.steps)
    assert derivation.to_latex().count(r"\label{eq:") == count
    assert derivation.to_markdown().count(r"\tag{") == count
    assert derivation.to_html().count('class="formula step') == count
    assert len(re.findall(r"^\(\d+\)", derivation.to_text(), flags=re.MULTILINE)) == count
    assert r"\eqref{eq:3}" in derivation.to_latex()
    assert '<a href="#eq:3">(3)</a>' in derivation.to_html()
    assert "chain rule, with (3)" in derivation.to_text()
    assert derivation.to_notebook().cells[-1].cell_type == "code"


@pytest.mark.slow
def test_a_numeric_step_says_so_and_a_false_one_too():
    derivation = gt.derive("widest", activation="cloglog")
    assert 'class="formula step numeric"' in derivation.to_html()
    assert 'class="badge numeric">numeric' in derivation.to_html()
    broken = dataclasses.replace(
        derivation.steps[0], statement=sympy.Eq(sympy.Integer(1), 2, evaluate=False), fact=None
    )
    broken = dataclasses.replace(broken, rule="product")
    page = dataclasses.replace(derivation, answer=dataclasses.replace(derivation.answer, steps=(broken,))).to_html()
    assert 'class="badge false">false' in page


_EVIL = (
    r"\input{/etc/passwd}",
    r"\write18{touch pwned}",
    r"$\immediate\write18{touch pwned}$",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "[link](javascript:alert(1))",
    "![x](http://example.com/x.png)",
    "@{eq:1} *x* $x$ `code` # % & _ ~ ^ { } \\\\",
    "{{ 7*7 }} << 7*7 >> {% raw %} <% x %>",
    "\n\n# heading\x00\x1b[31m",
    "\\end{document}",
)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("title", slow_except(_EVIL[::4], _EVIL))
def test_titles_stay_text(title):
    derivation = dataclasses.replace(gt.derive("slope_maximum"), title=title)
    page = _Page()
    page.feed(derivation.to_html())
    assert not page.tags & {"script", "img"}
    assert "49" not in derivation.to_html().partition("</h1>")[0].partition("<h1>")[2]
    latex = derivation.to_latex()
    heading = next(line for line in latex.splitlines() if line.startswith(r"\title{"))
    assert not re.search(r"\\(input|write18|immediate|end)\b", heading)
    assert latex.count(r"\end{document}") == 1
    first = derivation.to_markdown().splitlines()[0]
    assert first.startswith("# ")
    assert not re.search(r"(?<!\\)[<\[`$]", first)
    assert "\x1b" not in derivation.to_text()


@pytest.mark.slow
@_needs("pdftotext")
@pytest.mark.skipif(_CHROMIUM is None, reason="chromium is not installed (Debian: chromium)")
def test_a_printed_page_keeps_headings_and_reasons_with_what_they_belong_to(tmp_path):
    document = built("en").document
    save(document, tmp_path / "article.html")
    command = [_CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={tmp_path / 'article.pdf'}"]
    subprocess.run([*command, (tmp_path / "article.html").as_uri()], capture_output=True, timeout=120, check=True)
    command = ["pdftotext", "-layout", str(tmp_path / "article.pdf"), "-"]
    printed = subprocess.run(command, capture_output=True, check=True, encoding="utf-8").stdout
    pages = [[line.strip() for line in page.splitlines() if line.strip()] for page in printed.split("\f")]
    headings = {
        to_text(Document("", block.text, "en", ())).strip("\n= ")
        for block in document.blocks
        if isinstance(block, Heading)
    }
    assert len(headings & {line for page in pages for line in page}) == len(headings) > 30
    assert not headings & {page[-1] for page in pages if page}
    badges = tuple({block.badge for block in document.blocks if isinstance(block, Formula) and block.badge})
    assert not [page[0] for page in pages if page and page[0].endswith(badges)]


@pytest.mark.slow
@_needs("pdftotext")
@pytest.mark.parametrize(
    ("topic", "options"),
    [
        ("widest", {"activation": "tanh"}),
        ("layer_norm", {}),
        ("explosion", {"lang": "zh"}),
    ],
)
def test_a_last_page_holds_more_than_the_end(topic, options, tmp_path):
    derivation = derived(topic, **options)
    if shutil.which(_ENGINES[derivation.lang]) is None:
        pytest.skip("no TeX engine")
    save(derivation.document, tmp_path / "document.pdf")
    command = ["pdftotext", str(tmp_path / "document.pdf"), "-"]
    process = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    pages = process.stdout.removesuffix("\f").split("\f")
    badges = {block.badge for block in derivation.document.blocks if isinstance(block, Formula) and block.badge}
    assert any(badge in pages[-1] for badge in badges), pages[-1]


@pytest.mark.slow
@_needs("pdflatex")
@_needs("xelatex")
def test_english_compiles_with_either_engine(tmp_path):
    document = Document(
        "Title", "A $\\sigma$ – of *one*, “quoted”, naïve.", "en", (Table((("a", "–"),)), Code("x = 'y'"))
    )
    save(document, tmp_path / "document.tex")
    for engine in ("pdflatex", "xelatex"):
        command = [engine, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
        process = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        assert process.returncode == 0
        assert "Missing character" not in (tmp_path / "document.log").read_text(encoding="utf-8", errors="replace")


@pytest.mark.slow
@_needs("pdflatex")
def test_titles_of_all_kinds_compile():
    derivation = dataclasses.replace(gt.derive("slope_maximum"), title=" ".join(_EVIL))
    assert pdf.to_pdf(derivation.document).startswith(b"%PDF")


@pytest.mark.sampled(2)
@pytest.mark.parametrize("symbol", [r"L}\input{/etc/passwd}", "<script>", "L_{1}$x$", "a b", "é"])
def test_symbol_names_stay_text(symbol):
    derivation = gt.derive("gradient", depth=sympy.Symbol(symbol, integer=True, positive=True))
    page = _Page()
    page.feed(derivation.to_html())
    assert not page.tags & {"script"}
    assert not re.search(r"(?<!textbackslash\{\})\\input", derivation.to_latex().partition(r"\section{Check")[0])
    assert derivation.check().ok


@pytest.mark.slow
def test_saving_by_suffix(tmp_path):
    derivation = gt.derive("slope_maximum", activation="tanh", lang="zh")
    for suffix in FORMATS:
        if suffix == ".pdf" and shutil.which("xelatex") is None:
            continue
        path = derivation.save(tmp_path / f"名字 with space{suffix}")
        assert path.stat().st_size > 500
    assert json.loads((tmp_path / "名字 with space.ipynb").read_text(encoding="utf-8"))["nbformat"] == 4
    assert derivation.to_html() == derivation.to_html()
    again = gt.derive("slope_maximum", activation="tanh", lang="zh")
    assert render(again.document, ".ipynb") == (tmp_path / "名字 with space.ipynb").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ["x.docx", "x", "file/x.md"])
def test_bad_paths_are_refused(path, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InvalidArgument, match="path = "):
        gt.derive("slope_maximum").save(tmp_path / path)


@pytest.mark.slow
def test_without_a_tex_engine_the_message_names_the_package(monkeypatch, tmp_path):
    monkeypatch.setattr(pdf.shutil, "which", lambda _: None)
    with pytest.raises(MissingProgram, match="apt-get install texlive-xetex texlive-lang-chinese"):
        gt.derive("slope_maximum", lang="zh").save(tmp_path / "x.pdf")
    with pytest.raises(MissingProgram, match="texlive-latex-extra"):
        gt.derive("slope_maximum").save(tmp_path / "x.pdf")


@pytest.mark.slow
@_needs("pdflatex")
def test_a_title_of_ones_own_may_hold_greek_and_digits_below_the_line(tmp_path):
    derivation = gt.derive("gradient", depth=2, title="θ₁ and σ", lang="en")
    derivation.save(tmp_path / "title.pdf")
    assert (tmp_path / "title.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(InvalidArgument, match=r"title = '梯度': holds 梯 \(U\+68AF\), for which pdflatex has no glyph"):
        gt.derive("gradient", depth=2, title="梯度", lang="en").save(tmp_path / "title.pdf")


def test_the_parameter_of_a_title_has_its_index_below_the_line():
    assert gt.derive("gradient", depth=2, wrt="b2", lang="en").document.title.endswith("with respect to b₂")
    assert gt.derive("gradient", depth=2, letters={"w": "theta"}, lang="zh").document.title.endswith("对 θ₁ 求导")


@pytest.mark.slow
@_needs("pdflatex")
def test_a_failing_engine_is_reported(tmp_path):
    formula = Formula((("", r"\undefinedcommand"),), lambda: "")
    with pytest.raises(MissingProgram, match="pdflatex failed: ! Undefined control sequence"):
        save(Document("t", "s", "en", (Heading("h"), Paragraph("p"), formula)), tmp_path / "x.pdf")


def test_jupyter_shows_derivations():
    derivation = gt.derive("gradient", depth=1)
    shown = derivation._repr_latex_()
    assert shown.startswith(r"$\displaystyle \begin{aligned}")
    assert r"\frac{\partial C}{\partial a_{1}} &= a_{1} - y" in shown
    assert shown.endswith(r"\end{aligned}$")
    html = derivation._repr_html_()
    assert html.startswith("<style>")
    assert all(f"<{tag}>" in html for tag in ("/style", "h1"))
    assert "body>" not in html
    assert "<math" in html
    assert str(derivation) == derivation.to_text()
    assert derivation.steps[1]._repr_latex_() == r"$\displaystyle \frac{\partial C}{\partial a_{1}} = a_{1} - y$"
    assert r"\sigma'\left(z\right) = " in gt.fact("logistic")._repr_latex_()
    assert r"z_{1} &= w_{1} x + b_{1}" in gt.Chain(1)._repr_latex_()


_WITHOUT_EXTRA = """
import sys
sys.modules |= dict.fromkeys(["jinja2", "latex2mathml", "nbformat", "pylatexenc"])
import gradtheory as gt
derivation = gt.derive("slope_maximum")
assert derivation.check().ok
assert derivation.to_markdown().startswith("# The greatest slope of sigmoid")
for write in (derivation.to_latex, derivation.to_html, derivation.to_text, derivation.to_notebook):
    try:
        write()
    except gt.errors.MissingDependency as error:
        print(error)
"""


@pytest.mark.slow
def test_derivations_are_checked_without_the_extra_that_writes_them():
    run = subprocess.run([sys.executable, "-c", _WITHOUT_EXTRA], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [
        f'needs {library}: pip install "gradtheory[documents]"'
        for library in ("jinja2", "jinja2", "pylatexenc", "nbformat")
    ]


def test_a_derivation_is_shown_on_one_line():
    assert repr(gt.derive("slope_maximum", activation="tanh")) == (
        "Derivation('slope_maximum', activation='tanh', steps=9)"
    )
    assert repr(gt.derive("stability", optimiser="adam")) == "Derivation('stability', optimiser='adam', steps=8)"


def test_tables_code_and_figures_as_text():
    blocks = (
        Table((("weight", "width"), ("7", "0.4"))),
        Code("import gradtheory"),
        Figure("widths", "Width over weight"),
    )
    document = Document("Blocks", "", "en", blocks)
    assert "|---|---|\n| weight | width |\n| 7 | 0.4 |" in to_markdown(document)
    assert "```python\nimport gradtheory\n```" in to_markdown(document)
    assert "![](widths.svg)" in to_markdown(document)
    assert "weight  width\n7       0.4" in to_text(document)
    assert "    import gradtheory" in to_text(document)
    assert "[Width over weight]" in to_text(document)


def test_a_table_has_titles_above_its_columns():
    document = Document("Blocks", "", "en", (Table((("7", "$w_1$"),), head=("a", "weight")),))
    assert "| a | weight |\n|---|---|\n| 7 | $w_1$ |" in to_markdown(document)
    assert "a  weight\n---------\n7  w₁" in to_text(document)
    assert "<tr><th>a</th><th>weight</th></tr>" in render(document, ".html")
    assert r"\begin{tabular}{ll}" in render(document, ".tex")
    assert r"\emph{a} & \emph{weight}" in render(document, ".tex")
    long = Document("Blocks", "", "en", (Table((("7",),) * 13),))
    assert r"\begin{longtable}{l}" in render(long, ".tex")


def test_a_height_at_a_place_without_a_formula_has_a_name():
    text = gt.derive("explosion", activation=gt.expression("z*exp(-z**2/2)")).to_text()
    assert "s₁ = |σ'(z₁)| ≈ 0.446260320297" in text
    assert "Root" not in text
    assert "- -" not in text
