"""The explorer in a browser: sliders, the exact set, both languages, hostile text, and nothing from the network."""

import re
import shutil
import threading
from contextlib import contextmanager
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from gradtheory.explorer.server import serving

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_HERE = re.compile(r"(https?|ws)://localhost:\d+/|data:|blob:http://localhost:")
_PATIENCE = 120_000  # milliseconds, of a machine with much else to do

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(_CHROMIUM is None, reason="chromium is not installed (Debian: chromium)"),
]


@contextmanager
def _served():
    """Serve the page from another thread, which has the loop of the server."""
    address, done, begun = [], threading.Event(), threading.Event()

    def serve():
        import asyncio

        asyncio.set_event_loop(asyncio.new_event_loop())
        with serving() as server:
            address.append((f"http://localhost:{server.port}/", server.io_loop))
            begun.set()
            server.io_loop.start()
        done.set()

    threading.Thread(target=serve, daemon=True).start()
    assert begun.wait(60)
    url, loop = address[0]
    yield url
    loop.add_callback(loop.stop)
    assert done.wait(60)


@pytest.fixture(scope="module")
def url():
    with _served() as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class _Visit:
    def __init__(self, browser, url, width=1280):
        self.context = browser.new_context(viewport={"width": width, "height": 900}, accept_downloads=True)
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page = self.context.new_page()
        self.page.set_default_timeout(_PATIENCE)
        expect.set_options(timeout=_PATIENCE)
        self.faults = []
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.faults.append(said.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda each: _HERE.match(each.url) or self.faults.append(each.url))
        self.page.on("websocket", lambda each: _HERE.match(each.url) or self.faults.append(each.url))
        self.page.goto(url, timeout=_PATIENCE)

    def card(self, title):
        return self.page.locator(".card", has=self.page.get_by_text(title, exact=True))

    def field(self, label):
        """Return the field beside the slider with a label."""
        row = self.page.locator(".bk-Row", has=self.page.locator(".bk-Slider", has_text=label))
        return row.locator("input[type=text]")


@pytest.fixture
def visit(browser, url):
    visits = []

    def begin(query="", **options):
        visits.append(_Visit(browser, url + query, **options))
        return visits[-1]

    yield begin
    for each in visits:
        assert each.faults == []
        each.context.close()


def test_sliders_move_what_is_exact(visit):
    here = visit()
    card = here.card("Where one factor explodes")
    expect(card).to_contain_text("0.366685605281773")
    expect(card).to_contain_text("0.0809713195674873")
    expect(card).to_contain_text("arsinh")
    expect(card.locator(".badge")).to_have_text("exact")
    expect(here.card("The gradient of the whole chain over x")).to_contain_text("0.290692569591739")
    handle = here.page.locator(".bk-Slider", has_text="weight w of this layer").locator(".noUi-handle")
    handle.focus()
    for _ in range(3):
        here.page.keyboard.press("ArrowLeft")
    expect(here.field("weight w of this layer")).to_have_value("6.85")
    expect(card).not_to_contain_text("0.366685605281773")
    here.page.wait_for_url("**w=6.85*")
    query = parse_qs(urlsplit(here.page.url).query)
    assert query["w"] == ["6.85,5,5"]
    expect(here.card("How wide that is, over |w|")).to_contain_text("6.89415103227293")
    again = visit("?" + urlsplit(here.page.url).query)  # the link holds the state
    expect(again.field("weight w of this layer")).to_have_value("6.85")


def test_both_languages(visit):
    here = visit("?activation=tanh&w=2&b=0")
    expect(here.card("Where one factor explodes")).to_contain_text("0.440686793509772")
    here.page.get_by_role("button", name="中文").click()
    expect(here.card("单个因子在哪里爆炸")).to_contain_text("0.440686793509772")
    expect(here.card("单个因子在哪里爆炸").locator(".badge")).to_have_text("精确")
    assert here.page.locator("html").get_attribute("lang") == "zh"
    here.page.get_by_role("button", name="English").click()
    expect(here.card("Where one factor explodes").locator(".badge")).to_have_text("exact")


def test_what_is_taken_away(visit):
    here = visit("?activation=arctan&w=3&b=1")
    expect(here.card("Where one factor explodes").locator(".badge")).to_have_text("exact")
    for button, piece in (
        ("Copy as Python", "gt.explosion_set"),
        ("Copy as LaTeX", r"\["),
        ("Copy the link", "activation=arctan"),
    ):
        here.page.get_by_role("button", name=button).click()
        copied = "async piece => (await navigator.clipboard.readText()).includes(piece)"
        here.page.wait_for_function(copied, arg=piece)
    with here.page.expect_download(timeout=_PATIENCE) as download:
        here.page.get_by_role("button", name="Download the derivation").click()
    with open(download.value.path(), encoding="utf-8") as file:
        assert "arctan" in file.read()


def test_hostile_text_is_said_to_be_wrong(visit):
    title, markup = (
        "gradtheory: why gradients explode or vanish, and exactly where",
        "<img src=x onerror=document.title='broken'>",
    )
    here = visit()
    own = here.page.locator(".bk-TextInput", has_text="or your own, in z").locator("input")
    refused = here.card("Where one factor explodes").locator(".refused")
    for text in (markup, "__import__('os')", "z**z**z**9999", "'; //"):
        own.fill(text)
        own.press("Enter")
        expect(refused).to_contain_text(re.compile("expression = |activation = "))
        assert here.page.title() == title
        own.fill("z*sigmoid(z)")
        own.press("Enter")
        expect(refused).to_have_count(0)
    linked = visit("?" + urlencode({"activation": markup, "lang": "<b>", "w": markup}))
    expect(linked.page.locator(".message .refused")).to_contain_text("w = ")
    assert linked.page.title() == title


_LAYERS = """
const pictures = [...document.querySelectorAll('.bk-Figure')];
const layers = pictures.map(
    picture => [...picture.shadowRoot.querySelector('.bk-Canvas').shadowRoot.querySelectorAll('.bk-layer')]);
if (!layers.every(those => those.length > 2)) throw new Error('no pictures');
"""
_PICTURES_FIT = f"""() => {{ {_LAYERS}
    return layers.every((those, place) => those.every(layer => layer.offsetWidth <= pictures[place].clientWidth));
}}"""
_AS_WIDE_AS_BEFORE = f"""() => {{ {_LAYERS}
    layers.flat().forEach(layer => {{ layer.style.width = '1000px'; }});
    return document.documentElement.scrollWidth;
}}"""  # as while Bokeh has not drawn them anew


@pytest.mark.parametrize("query", ["?w=7.05,5,5&b=1/3,-2.5,-2.5", "?w=7,5,5&b=1,-2.5,-2.5"])  # a wide set, long digits
def test_nothing_reaches_beyond_the_screen(visit, query):
    here = visit(query, width=1280)
    expect(here.page.locator(".digits")).to_have_count(2)
    expect(here.card("Where one factor explodes").locator(".badge")).to_have_text("exact")
    assert here.page.evaluate("document.documentElement.scrollWidth") <= 1280
    here.page.set_viewport_size({"width": 390, "height": 900})
    here.page.wait_for_function("document.documentElement.clientWidth <= 390")
    assert (
        here.page.evaluate("document.documentElement.scrollWidth") <= 390
    )  # even while the pictures are as wide still
    here.page.wait_for_function(_PICTURES_FIT)
    assert here.page.evaluate(_AS_WIDE_AS_BEFORE) <= 390
    for line in here.page.locator(".digits").all():  # or digits would be hidden
        assert line.evaluate("line => line.scrollWidth <= line.clientWidth"), line.inner_text()
