"""The page without a browser: its controls, what they ask, and what is drawn."""

import multiprocessing
import threading
from urllib.parse import parse_qsl

import numpy as np
import pytest
from bokeh.document import Document
from bokeh.events import ButtonClick

from gradtheory.explorer import page as page_module
from gradtheory.explorer import workers as workers_module
from gradtheory.explorer.chain import TotalView
from gradtheory.explorer.neuron import Widths
from gradtheory.explorer.phases import Phases
from gradtheory.explorer.state import State
from gradtheory.explorer.workers import Refusal, Workers, answered

_READY = {  # of the slow views, which have tests of their own
    "total": TotalView(ends=((-0.3, 0.1), (5.0, np.inf)), bound=0.45, reach=0.45, html="<p>total</p>"),
    "widths": Widths(np.array([0.0, 4.0, 7.0]), np.array([0.0, 0.0, np.inf]), 4.0, (6.9, 0.45), "<p>widths</p>"),
    "phases": Phases(4.0, 1.0, np.zeros((2, 2), np.uint8), np.array([1.0, np.nan]), np.array([0.0, 1.0])),
    "derivation": "<!DOCTYPE html>",
}


class _Now:
    """Workers that answer at once, or keep their questions."""

    def __init__(self):
        self.asked, self.open, self.waits = [], [], False

    def ask(self, asker, kind, state, take):
        self.asked.append(kind)
        question = lambda: take(_READY[kind] if kind in _READY else answered(kind, state))  # noqa: E731
        if self.waits:
            self.open.append(question)
        else:
            question()


class _Document(Document):
    """A document whose clock stands still."""

    def __init__(self):
        super().__init__()
        self.timers = []

    def add_next_tick_callback(self, callback):
        callback()

    def add_timeout_callback(self, callback, milliseconds):
        self.timers.append(callback)


@pytest.fixture
def opened(monkeypatch):
    monkeypatch.setattr(page_module, "font_of", lambda _: "data:,")

    def open_page(**query):
        workers, document = _Now(), _Document()
        return page_module.Page(document, query, workers, workers), workers, document

    return open_page


def test_the_page_shows_the_exact_set_and_follows_a_slider(opened):
    page, workers, _ = opened()
    assert "0.366685605281773" in page.words["neuron"].text
    assert sorted(workers.asked) == ["chain", "neuron", "phases", "total", "widths"]
    workers.asked.clear()
    page.sliders["w"].value = 7.05
    assert page.fields["w"].value == "7.05"
    assert page.all["w"].value == "7.05, 5, 5"
    assert page.state.w == ("7.05", "5", "5")
    assert sorted(workers.asked) == ["chain", "neuron", "total"]  # the others do not depend on it
    assert dict(parse_qsl(page._texts.data["query"][0]))["w"] == "7.05,5,5"
    assert "w=['7.05', '5', '5']" in page._texts.data["python"][0]
    assert page._texts.data["latex"][0].count(r"\[") == 2
    workers.asked.clear()
    page.fields["x"].value = "1/3"
    assert sorted(workers.asked) == ["chain", "neuron"]
    assert page.sliders["x"].value == 1 / 3
    page.fields["sigma_w"].value = "100"
    assert page.sliders["sigma_w"].value == page.sliders["sigma_w"].end


@pytest.mark.slow
def test_layers_are_added_and_looked_at(opened):
    page, *_ = opened(w="2", b="0.5", depth="1", activation="tanh")
    page.depth.value = 4
    assert page.state.w == ("2",) * 4
    page.layer.value = 3
    page.fields["b"].value = "-1/7"
    assert page.all["b"].value == "0.5, 0.5, -1/7, 0.5"
    page.all["w"].value = "3"
    assert page.state.w == ("3",) * 4
    page.all["w"].value = "1, 2"
    assert (page.state.w, page.state.b, page.state.layer) == (("1", "2"), ("0.5", "0.5"), 2)
    assert page.depth.value == 2


@pytest.mark.slow
def test_activations_are_chosen_or_written(opened):
    page, *_ = opened()
    page.names.value = "tanh"
    assert page.own.value == "tanh"
    page.own.value = "z*sigmoid(z)"
    assert page.names.value == ""
    page.names.value = ""
    assert page.state.activation == "z*sigmoid(z)"


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["__import__('os').system('true')", "<img src=x onerror=alert(1)>", "$\\href{javascript:0}{z}$"]
)
def test_hostile_text_is_refused_and_escaped(opened, text):
    page, *_ = opened()
    page.own.value = text
    for place in ("neuron", "chain"):
        assert page.words[place].text.startswith('<span class="refused">')
        assert page.words[place].text.count("<") == 2
    page.own.value = "tanh"
    assert "refused" not in page.words["neuron"].text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("control", "value"),
    [
        ("w", "<b>"),
        ("c", "0"),
        ("sigma_b", "-1"),
        ("x", "1e99999"),
        ("all", "1,2,x"),
        ("all", "1," * 1000 + "1"),
        ("depth", 2.5),
        ("depth", None),
    ],
)
def test_a_number_that_breaks_a_rule_is_said_and_changes_nothing(opened, control, value):
    page, workers, _ = opened()
    before = page.state
    workers.asked.clear()
    model = {"all": page.all["w"], "depth": page.depth}.get(control) or page.fields[control]
    model.value = value
    assert page.state == before
    assert not workers.asked
    assert 'class="refused"' in page.words["message"].text
    assert "<b>" not in page.words["message"].text
    page.sliders["w"].value = 6
    assert page.words["message"].text == ""


@pytest.mark.slow
def test_a_broken_link_starts_as_without_one(opened):
    page, *_ = opened(w="seven", lang="zh")
    assert page.state == State(lang="zh")
    assert "seven" in page.words["message"].text
    assert page.names.title == "激活函数"


@pytest.mark.slow
def test_slow_answers_are_waited_for_and_refusals_shown(opened):
    page, workers, document = opened()
    workers.waits = True
    page.download._trigger_event(ButtonClick(page.download))
    assert page.download.disabled
    document.timers[-1]()
    assert "computing" in page.words["message"].text
    workers.open.pop()()
    assert page._file.data["text"] == ["<!DOCTYPE html>"]
    assert not page.download.disabled
    document.timers[-1]()
    assert page.words["message"].text == ""
    page._take("total", page.state, Refusal("no <proof>"))
    assert "no &lt;proof&gt;" in page.words["total"].text


@pytest.mark.slow
def test_pictures_show_what_is_drawable(opened):
    page, *_ = opened(w="7", b="1", depth="40")
    pictures = page.pictures
    assert pictures._total.data["x0"] == [-0.3]  # the other interval is out of the picture
    assert pictures._bound.data["x1"][0] - pictures._bound.data["x0"][0] == pytest.approx(0.45)
    assert list(pictures._widths.data["y"]) == [0.0, 0.0]
    assert pictures.factors.yaxis[0].major_label_overrides == {1: "1", 21: "21", 40: "40"}
    pictures.show("widths", Widths(np.array([0.0]), np.array([0.0]), 1.0, None, ""))
    assert np.isnan(pictures._longest.location)
    pictures.show("total", TotalView(ends=(), bound=np.inf, reach=None, html=""))
    assert pictures._bound.data["x0"] == []
    assert np.isnan(pictures._envelope.data["y"]).all()
    page.names.value = "gelu"
    assert pictures._levels[1].location == -pictures._levels[0].location
    page.fields["x"].value = "50"
    assert pictures._at_z.data["x"] == []
    assert pictures._here.data["x"] == []  # an infinite width


class _Process:
    """A thread in place of a process, so that no interpreter is started."""

    def __init__(self, pipe):
        threading.Thread(target=workers_module._answer_all, args=(pipe,), daemon=True).start()

    def kill(self):
        pass


def _started():
    ours, theirs = multiprocessing.Pipe()
    process = _Process(theirs)
    assert ours.recv() == "ready"
    return process, ours


def test_a_desk_answers_the_newest_question_of_each_kind(monkeypatch):
    monkeypatch.setattr(workers_module, "_started", _started)
    begun, go = threading.Event(), threading.Event()
    monkeypatch.setattr(
        workers_module, "_ANSWERS", {"hold": lambda _: begun.set() or go.wait(10), "x": lambda state: state.x}
    )
    workers, answers, done = Workers(20.0), [], threading.Event()
    workers.ask("one", "hold", State(), lambda _: 1 / 0)  # a page that is gone
    assert begun.wait(10)
    for x in ("1", "2", "3"):
        workers.ask("one", "x", State(x=x), answers.append)
    workers.ask("two", "x", State(x="4"), lambda answer: (answers.append(answer), done.set()))
    go.set()
    assert done.wait(10)
    workers.close()
    assert answers == ["3", "4"]


def test_a_desk_gives_up_and_goes_on(monkeypatch):
    monkeypatch.setattr(workers_module, "_started", _started)
    never = threading.Event()
    monkeypatch.setattr(workers_module, "_ANSWERS", {"slow": lambda _: never.wait(10), "x": lambda state: state.x})
    workers, answers, done = Workers(0.05), [], threading.Event()
    workers.ask("one", "slow", State(), answers.append)
    workers.ask("one", "x", State(x="5"), lambda answer: (answers.append(answer), done.set()))
    assert done.wait(10)
    workers.close()
    never.set()
    assert answers == [Refusal("No answer within 0.05 s: given up."), "5"]


def _ends(_pipe):
    """Be a process that cannot start."""


@pytest.mark.slow
def test_a_process_that_ends_at_once_is_waited_for_by_nobody(monkeypatch):
    monkeypatch.setattr(workers_module, "_answer_all", _ends)
    started = []
    starter = threading.Thread(target=lambda: started.extend(workers_module._started()), daemon=True)
    starter.start()
    starter.join(60)
    assert started, "it still waits for the process"
    process, pipe = started
    process.join(30)
    assert process.exitcode == 0
    assert pipe.poll(30)
    with pytest.raises(EOFError):
        pipe.recv()
