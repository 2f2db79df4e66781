"""How long a reader of the explorer waits for a slider: from the key to the answer that is drawn, in headless Chromium.

python benchmarks/slider.py [MOVES]
"""

import os
import shutil
import subprocess
import sys

import numpy as np
from playwright.sync_api import Page, sync_playwright

_WATCHED = ("neuron", "here", "total")  # the set of one neuron, the chain at the input, the set of the whole chain
_PAUSE = 400  # milliseconds between two keys
_FIRST = 15_000  # until everything is imported

_WATCH = """
names => {
  window.waited = Object.fromEntries(names.map(name => [name, []]));
  let begun = 0;
  window.addEventListener("keydown", event => { begun = event.timeStamp; }, true);
  for (const name of names) {
    const model = Bokeh.documents[0].get_model_by_name(name);
    model.properties.text.change.connect(() => requestAnimationFrame(() => requestAnimationFrame(() => {
      if (!model.text.includes("working")) window.waited[name].push(performance.now() - begun);
    })));
  }
}
"""


def measured(page: Page, moves: int) -> dict[str, list[float]]:
    """Return milliseconds of each answer, for so many moves of the weight of the first layer."""
    handle = page.locator(".bk-Slider", has_text="weight w of this layer").locator(".noUi-handle")
    handle.focus()
    page.evaluate(_WATCH, list(_WATCHED))
    for move in range(moves):
        page.keyboard.press("ArrowLeft" if move < moves / 2 else "ArrowRight")
        page.wait_for_timeout(_PAUSE)
    page.wait_for_timeout(3000)
    return dict(page.evaluate("window.waited"))


def main(moves: int) -> None:
    """Print median and 95th percentile of each answer."""
    program = "from gradtheory.cli import main; main()"
    command = [sys.executable, "-c", program, "explore", "--no-browser", "--lang", "en"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served, sync_playwright() as playwright:
        assert served.stdout is not None
        address = served.stdout.readline().strip()
        chromium = shutil.which("chromium")
        with playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(120_000)
            page.goto(address)
            page.wait_for_timeout(_FIRST)
            waited = measured(page, moves)
        served.terminate()
    print(f"load average {os.getloadavg()[0]:.1f}")
    for name, times in waited.items():
        median, late = np.percentile(times, [50, 95])
        print(f"{name:6} {len(times)} of {moves} moves answered: median {median:.0f} ms, 95 % within {late:.0f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
