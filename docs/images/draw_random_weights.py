"""Draw random_weights.svg: the phases of gelu, and gradients of wide tanh networks, theory and simulation."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

import gradtheory as gt

figure = Figure(figsize=(10.0, 3.6), layout="constrained")
left, right = figure.subplots(1, 2)
gt.plots.phase_diagram("gelu", ax=left)
gt.plots.gradient_over_depth("tanh", (0.9, 1.0, 1.5), networks=8, ax=right)
with mpl.rc_context({"svg.hashsalt": "gradtheory"}):
    path = Path(__file__).with_name("random_weights.svg")
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
