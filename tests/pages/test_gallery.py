"""The gallery draws every figure by the line that its page shows."""

import pytest

from gradtheory.pages import gallery


@pytest.mark.slow
def test_every_figure_is_drawn_and_shown(tmp_path):
    written = list(gallery.write(tmp_path))
    text = (tmp_path / "index.md").read_text(encoding="utf-8")
    figures = [path for path in written if path.suffix == ".svg"]
    assert len(figures) == text.count("gt.plots.") == text.count("After ") + 1
    for path in figures:
        assert f"]({path.name})" in text
        assert path.stat().st_size > 1000
