"""Write depth.md and draw its figures: each number on that page is computed here."""

from pathlib import Path

from gradtheory.pages import depth

for path in depth.write(Path(__file__).parents[1]):
    print(path)
