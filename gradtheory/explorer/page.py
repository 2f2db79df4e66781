"""The page of one visitor: its controls, what they ask, and where the answers are shown."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from bokeh.document import Document
from bokeh.models import Button, Column, ColumnDataSource, CustomJS, Row, Select, Slider, Spinner, TextInput
from jinja2 import Environment, PackageLoader, StrictUndefined

import gradtheory as gt
from gradtheory.document.font import font_of
from gradtheory.document.messages import words
from gradtheory.document.prose import html_text
from gradtheory.document.translation import refusal
from gradtheory.errors import GradTheoryError, InvalidArgument
from gradtheory.explorer.drawing import Pictures, text
from gradtheory.explorer.export import as_latex, as_python
from gradtheory.explorer.state import DEEPEST, State, numbers, spread
from gradtheory.explorer.workers import QUICK, SLOW, Refusal, Workers

_PATIENCE = 700  # milliseconds until the page says that it computes
_WIDE = {"sizing_mode": "stretch_width"}
_SLIDERS = {  # the label, from, to, and by which step
    "w": ("weight", -12, 12, 0.05),
    "b": ("bias", -12, 12, 0.05),
    "c": ("threshold", 0.05, 5, 0.05),
    "x": ("input", -4, 4, 0.01),
    "sigma_w": ("scale_w", 0.05, 12, 0.05),
    "sigma_b": ("scale_b", 0, 2, 0.01),
}
_OTHER = {"en": ("zh", "中文"), "zh": ("en", "English")}  # the other language, in its own words

_COPY = """
const said = button.label;
navigator.clipboard.writeText(%s).then(() => {
  button.label = copied;
  setTimeout(() => { button.label = said; }, 1200);
});
"""
_LINK = "window.location.origin + window.location.pathname + '?' + texts.data.query[0]"
# A browser limits how often an address may change.
_ADDRESS = """
clearTimeout(window.gradtheory_address);
window.gradtheory_address = setTimeout(() => window.history.replaceState(null, '', '?' + texts.data.query[0]), 300);
"""
_OTHER_LANGUAGE = """
const query = new URLSearchParams(texts.data.query[0]);
query.set('lang', lang);
window.location.search = query.toString();
"""
_SAVE = """
const link = document.createElement('a');
link.href = URL.createObjectURL(new Blob([file.data.text[0]], {type: 'text/html'}));
link.download = 'derivation.html';
link.click();
"""


class Page:
    """One visitor's page.

    Parameters
    ----------
    document : bokeh.document.Document
        What the browser shows.
    query : dict of str
        What the link holds.
    quick, slow : Workers
        Who answers.

    """

    def __init__(self, document: Document, query: dict[str, str], quick: Workers, slow: Workers) -> None:
        self._document, self._quick, self._slow = document, quick, slow
        problem = ""
        try:
            self.state = State.of_query(query)
        except InvalidArgument as error:
            self.state = State(lang="zh" if query.get("lang") == "zh" else "en")
            problem = refusal(error, self.state.lang, on_page=True)
        self._said = words(self.state.lang)["explorer"]
        self._asked: dict[str, Any] = {}
        self._open: dict[str, State] = {}
        self._formulas: dict[str, str] = {}
        self._is_setting = False
        self.pictures = Pictures(self.state.lang)
        self.words = {
            name: text(name) for name in ("message", "neuron", "widths", "total", "here", "chain", "phases_words")
        }
        self._texts = ColumnDataSource(data={"query": [self.state.query], "python": [""], "latex": [""]})
        self._file = ColumnDataSource(data={"text": [""]})
        self._make_controls()
        self._lay_out()
        self._show(problem)

    def _make_controls(self) -> None:
        said = self._said
        self.names = Select(title=said["activation"], options=["", *gt.activation_names()], name="names", **_WIDE)
        self.own = TextInput(title=said["own"], name="own", **_WIDE)
        self.depth = Spinner(title=said["depth"], low=1, high=DEEPEST, name="depth", **_WIDE)
        self.layer = Spinner(title=said["layer"], low=1, high=DEEPEST, name="layer", **_WIDE)
        self.all = {
            "w": TextInput(title=said["weights"], name="all_w", **_WIDE),
            "b": TextInput(title=said["biases"], name="all_b", **_WIDE),
        }
        self.sliders, self.fields = {}, {}
        for name, (label, start, end, step) in _SLIDERS.items():
            limits = {"start": start, "end": end, "step": step, "value": start}
            self.sliders[name] = Slider(title=said[label], show_value=False, name=f"slider_{name}", **limits, **_WIDE)
            self.fields[name] = TextInput(width=90, name=f"field_{name}", align="end")
            self._on(self.sliders[name], partial(self._slid, name))
            self._on(self.fields[name], partial(self._with_number, name))
        self._on(self.names, lambda new: self.state.but(activation=new or self.state.activation))
        self._on(self.own, lambda new: self.state.but(activation=new))
        self._on(self.depth, lambda new: self.state.with_depth(_whole(new, "depth")))
        self._on(self.layer, lambda new: self.state.but(layer=_whole(new, "layer")))
        for name, field in self.all.items():
            self._on(field, partial(self._with_all, name))
        self.buttons = [self._button("copy_link", _COPY % _LINK)]
        self.buttons += [self._button(f"copy_{name}", _COPY % f"texts.data.{name}[0]") for name in ("python", "latex")]
        self.download = Button(label=said["download"], name="download")
        self.download.on_click(self._ask_for_derivation)
        self.download.tags = [self._file]  # so that the browser has it
        other, label = _OTHER[self.state.lang]
        self.language = Button(label=label, name="language")
        self.language.js_on_click(CustomJS(args={"texts": self._texts, "lang": other}, code=_OTHER_LANGUAGE))
        self._texts.js_on_change("data", CustomJS(args={"texts": self._texts}, code=_ADDRESS))
        self._file.js_on_change("data", CustomJS(args={"file": self._file}, code=_SAVE))

    def _button(self, name: str, code: str) -> Button:
        button = Button(label=self._said[name], name=name)
        args = {"button": button, "texts": self._texts, "copied": self._said["copied"]}
        button.js_on_click(CustomJS(args=args, code=code))
        return button

    def _lay_out(self) -> None:
        said = self._said
        places = {
            "of_activation": (self.names, self.own),
            "of_chain": (Row(self.depth, self.layer, **_WIDE), self._pair("w"), self._pair("b"), *self.all.values()),
            "of_both": (self._pair("c"), self._pair("x")),
            "of_width": (self._pair("sigma_w"), self._pair("sigma_b")),
        }
        roots = [Column(*models, name=name, **_WIDE) for name, models in places.items()]
        roots += [*self.pictures.roots, *self.words.values(), *self.buttons, self.download, self.language]
        with self._document.models.freeze():  # or all models are collected again with every root
            for root in roots:
                self._document.add_root(root)
        environment = Environment(
            loader=PackageLoader("gradtheory.explorer"), autoescape=True, undefined=StrictUndefined
        )
        self._document.template = environment.get_template("page.html.jinja")
        self._document.title = said["title"]
        self._document.template_variables.update(said=said, lang=self.state.lang, font=font_of(""))

    def _pair(self, name: str) -> Row:
        return Row(self.sliders[name], self.fields[name], **_WIDE)

    def _on(self, model: Any, change: Callable[[Any], State]) -> None:
        """Follow a control; what it must not be is said, and the page stays as it is."""

        def changed(_: str, __: Any, new: Any) -> None:
            if self._is_setting:
                return
            try:
                self.state = change(new)
            except GradTheoryError as error:
                self.words["message"].text = _refused(refusal(error, self.state.lang, on_page=True))
                return
            self._show()

        model.on_change("value", changed)

    def _slid(self, name: str, value: float) -> State:
        return self._with_number(name, f"{value:.10g}")

    def _with_number(self, name: str, value: str) -> State:
        if name in self.all:
            return self.state.with_layer(name, value)
        return self.state.but(**{name: value})

    def _with_all(self, name: str, value: str) -> State:
        values = numbers(value)
        depth = self.state.depth if len(values) == 1 else len(values)
        chain = self.state.with_depth(depth) if 1 <= depth <= DEEPEST else self.state
        return chain.but(**{name: spread(values, depth)})

    @contextmanager
    def _setting(self) -> Iterator[None]:
        self._is_setting = True
        try:
            yield
        finally:
            self._is_setting = False

    def _show(self, problem: str = "") -> None:
        """Bring all controls to the state, and ask what is new."""
        state, place = self.state, self.state.layer - 1
        for views, workers in ((QUICK, self._quick), (SLOW, self._slow)):  # they work while the controls are set
            for kind, view in views.items():
                if self._asked.get(kind) != view.of(state):
                    self._asked[kind] = view.of(state)
                    self._ask(workers, kind)
        with self._setting():
            self.own.value = state.activation
            self.names.value = state.activation if state.activation in self.names.options else ""
            self.layer.high = state.depth
            self.depth.value, self.layer.value = state.depth, state.layer
            for name, field in self.all.items():
                values = getattr(state, name)
                field.value = values[0] if len(set(values)) == 1 else ", ".join(values)
            for name, slider in self.sliders.items():
                values = getattr(state, name)
                field, value = self.fields[name], values[place] if name in self.all else values
                number = state.floats(name)[place] if name in self.all else state.number(name)
                field.value = value
                number = min(max(number, slider.start), slider.end)
                if (
                    abs(slider.value - number) > slider.step / 1000
                ):  # an echo of 6.950000000000001 as 6.95 would move it back
                    slider.value = number
        self.words["message"].text = _refused(problem) if problem else ""
        self.pictures.show_scales(state.number("sigma_w"), state.number("sigma_b"))
        self._texts.data = {**self._texts.data, "query": [state.query], "python": [as_python(state)]}

    def _ask(self, workers: Workers, kind: str) -> None:
        state = self._open[kind] = self.state
        self._document.add_timeout_callback(partial(self._wait, kind, state), _PATIENCE)
        workers.ask(
            id(self),
            kind,
            state,
            lambda answer: self._document.add_next_tick_callback(partial(self._take, kind, state, answer)),
        )

    def _wait(self, kind: str, state: State) -> None:
        """Say that an answer takes its time."""
        if self._open.get(kind) is state:
            self._place(kind).text = f'<span class="working">{html_text(self._said["working"])}</span>'

    def _place(self, kind: str) -> Any:
        return self.words[{"phases": "phases_words", "derivation": "message"}.get(kind, kind)]

    def _take(self, kind: str, state: State, answer: Any) -> None:
        """Show an answer, or why there is none."""
        if self._open.get(kind) is state:
            del self._open[kind]
        if kind == "derivation":
            self.download.disabled = False
        place = self._place(kind)
        if isinstance(answer, Refusal):
            place.text = _refused(answer.reason)
        elif kind == "derivation":
            place.text = ""
            self._file.data = {"text": [answer]}
        else:
            place.text = getattr(answer, "html", "")
            if kind == "chain":
                self.words["here"].text = answer.here
            self._document.add_next_tick_callback(partial(self.pictures.show, kind, answer))  # words come first
            if kind in QUICK:
                self._formulas[kind] = answer.latex
                latex = as_latex(*(self._formulas[each] for each in QUICK if each in self._formulas))
                self._texts.data = {**self._texts.data, "latex": [latex]}

    def _ask_for_derivation(self) -> None:
        self.download.disabled = True
        self._ask(self._slow, "derivation")


def _whole(value: Any, name: str) -> int:
    if not isinstance(value, int | float) or value != int(value):
        raise InvalidArgument(name, value, "must be a whole number, such as 3")
    return int(value)


def _refused(reason: str) -> str:
    return f'<span class="refused">{html_text(reason)}</span>'
