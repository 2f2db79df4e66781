"""docs/command-line.md is what the commands say, and docs/json.md names what the schema defines."""

import json
from importlib.resources import files
from pathlib import Path

from gradtheory.cli import page
from gradtheory.cli.commands import app

_DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_what_the_commands_say(tmp_path):
    page.write(tmp_path)
    told = (tmp_path / "command-line.md").read_text(encoding="utf-8")
    assert told == (_DOCS / "command-line.md").read_text(encoding="utf-8"), "write it anew with `make docs`"
    for name in app.commands:
        assert f"\n### gradtheory {name}\n" in told
    assert "\n### gradtheory plot phase_diagram\n" in told


def test_the_page_on_json_explains_the_parts_of_numbers_and_intervals():
    schema = json.loads(files("gradtheory.cli").joinpath("schema.json").read_text(encoding="utf-8"))
    text = (_DOCS / "json.md").read_text(encoding="utf-8")
    for part in ("number", "interval"):
        assert all(f"`{name}`" in text or f'"{name}"' in text for name in schema["$defs"][part]["properties"])
