"""Training a chain in NumPy, with everything recorded that says why it went well or badly.

>>> import gradtheory as gt
>>> from gradtheory.training.optimisers import gradient_descent
>>> run = train(gt.Chain(depth=2), [0.0, 1.0], [0.2, 0.6], [1.0, 1.0], [0.0, 0.0], optimiser=gradient_descent(2.0))
>>> bool(run.loss[-1] < run.loss[0] / 10), run.events
(True, ())

"""

import lazy_loader

from gradtheory.training.events import Event, EventKind
from gradtheory.training.train import ChainTraining, NetworkTraining, Training, train

__getattr__, _, _ = lazy_loader.attach(__name__, ["remedies"])

__all__ = ["ChainTraining", "Event", "EventKind", "NetworkTraining", "Training", "train"]
