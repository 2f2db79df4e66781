"""Files are written whole or not at all, and what cannot be written is refused before anything is computed."""

import os
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from gradtheory.document.files import drawn, read_folder, read_target, write_file
from gradtheory.document.saving import read_suffix
from gradtheory.errors import InvalidArgument


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "page.html"
    assert write_file(path, "σ") == path
    assert path.read_bytes() == "σ".encode()
    write_file(path, b"\x00")
    assert path.read_bytes() == b"\x00"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
@pytest.mark.parametrize("step", ["write_bytes", "replace"])
def test_what_interrupts_writing_leaves_the_file_as_it_was(tmp_path, monkeypatch, error, step):
    path = tmp_path / "page.html"
    path.write_text("old")

    def fail(self, *_):
        if step == "write_bytes":
            with self.open("wb") as file:
                file.write(b"ne")
        raise error

    monkeypatch.setattr(Path, step, fail)
    with pytest.raises((KeyboardInterrupt, InvalidArgument)):
        write_file(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path):
    place, link = tmp_path / "place.txt", tmp_path / "link.txt"
    place.write_text("old")
    link.symlink_to(place)
    write_file(link, "new")
    assert link.is_symlink()
    assert place.read_text() == "new"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert read_target(pipe, "out") == pipe
        write_file(pipe, "text")
        assert os.read(reader, 10) == b"text"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


@pytest.mark.parametrize("place", ["", "page.html/x", "page.html/x/y", "a" * 300, "a" * 300 + "/x", "nul\0l", "circle"])
def test_what_cannot_be_written_is_refused(tmp_path, place):
    (tmp_path / "page.html").touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(InvalidArgument, match=r"^out = "):
        read_target(tmp_path / place, "out")
    with pytest.raises(InvalidArgument):
        read_target(3, "out")


def test_missing_folders_are_made_when_the_file_is_written(tmp_path):
    path = tmp_path / "a" / "b" / "page.html"
    assert read_target(path, "out") == path
    assert list(tmp_path.iterdir()) == []
    assert write_file(path, "new").read_text() == "new"


def test_a_folder_is_made_or_refused(tmp_path):
    assert read_folder(tmp_path / "a" / "b", "out").is_dir()
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "nul\0l"):
        with pytest.raises(InvalidArgument, match=r"^out = "):
            read_folder(place, "out")


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_a_figure_is_the_same_file_each_time(suffix):
    def figure():
        each = Figure()
        each.subplots().plot([0, 1])
        return drawn(each, suffix)

    assert figure() == figure()


@pytest.mark.parametrize(
    ("path", "suffix", "known"),
    [("x.tex", "", ".tex"), ("x.tex", ".tex", ".tex"), ("x", ".md", ".md"), ("x.page", ".md", ".md")],
)
def test_the_suffix_says_the_format(path, suffix, known):
    assert read_suffix(path, suffix) == known


@pytest.mark.parametrize(("path", "suffix"), [("x.tex", ".html"), ("x.doc", ""), ("x", "")])
def test_a_format_that_disagrees_is_refused(path, suffix):
    with pytest.raises(InvalidArgument):
        read_suffix(path, suffix)
