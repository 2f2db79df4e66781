"""The server: on this machine alone, and the command that starts it."""

import socket
import sys
import urllib.request
from threading import Thread

import pytest

from gradtheory.cli import main
from gradtheory.errors import InvalidArgument
from gradtheory.explorer import server as server_module
from gradtheory.explorer.server import explore, serving


class _Silent:
    """A workers without a process, which never answers."""

    def __init__(self, seconds):
        self.is_open = seconds > 0

    def ask(self, *question):
        pass

    def close(self):
        self.is_open = False


@pytest.fixture(autouse=True)
def _no_processes(monkeypatch):
    monkeypatch.setattr(server_module, "Workers", _Silent)


def test_it_listens_on_this_machine_alone():
    with serving() as server:
        sockets = server._http._sockets.values()
        assert {each.getsockname() for each in sockets} == {("127.0.0.1", server.port)}


def test_a_port_that_is_taken_is_refused_in_one_line(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidArgument, match=rf"port = {port}: must be one that is free"), serving(port):
            pass
        assert main(["explore", "--port", str(port), "--no-browser"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)


def test_the_command_asks_for_the_language_of_the_run(monkeypatch):
    asked = []
    monkeypatch.setattr(server_module, "explore", lambda *given, **options: asked.append((given, options)))
    assert main(["explore", "--lang", "zh", "--no-browser"]) == 0
    assert main(["explore", "--lang", "en", "--port", "8000"]) == 0
    assert asked == [((0, "?lang=zh"), {"opens": False}), ((8000, "?lang=en"), {"opens": True})]


def test_without_its_extra_the_command_says_which_it_needs(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "bokeh.server.server", None)
    assert main(["explore", "--no-browser"]) == 2
    assert capsys.readouterr().err == 'gradtheory: needs bokeh: pip install "gradtheory[explorer]"\n'


@pytest.mark.slow
def test_the_page_is_whole_and_names_nothing_elsewhere():
    with serving() as server:
        pages = []

        def visit():
            for query in ("?lang=zh&w=1/3", "?w=%3Cscript%3E&c=%ff"):
                with urllib.request.urlopen(f"http://localhost:{server.port}/{query}", timeout=100) as answer:
                    pages.append(answer.read().decode())
            server.io_loop.add_callback(server.io_loop.stop)

        visitor = Thread(target=visit)
        visitor.start()
        server.io_loop.start()
        visitor.join()
    for page in pages:
        assert "<h1>gradtheory" in page
        assert "http://" not in page.replace("http://www.w3.org/", "")
        assert "https://" not in page
        assert "Content-Security-Policy" in page
    assert '<html lang="zh">' in pages[0]
    assert "<script>&" not in pages[1]


def test_it_runs_until_it_is_interrupted(monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(server_module.webbrowser, "open", opened.append)

    class _Loop:
        def add_callback(self, call, *arguments):
            call(*arguments)

        def start(self):
            raise KeyboardInterrupt

    class _Server:
        port, io_loop = 1234, _Loop()

    class _Serving:
        def __enter__(self):
            return _Server()

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(server_module, "serving", lambda _: _Serving())
    explore(0, "?lang=en")
    explore(0, opens=False)
    assert opened == ["http://localhost:1234/?lang=en"]
    assert capsys.readouterr().out.split() == ["http://localhost:1234/?lang=en", "http://localhost:1234/"]
