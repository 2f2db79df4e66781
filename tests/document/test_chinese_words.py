"""One Chinese word for one thing: σ' is 导数 in every document."""

from importlib.resources import files


def test_a_slope_is_a_derivative():
    prose = files("gradtheory.document.messages").joinpath("zh.toml").read_text(encoding="utf-8")
    assert prose.count("导数") > 50
    assert "斜率" not in prose
