"""What is wrong with a concrete chain, and which remedy with which constant removes it; each is tried on the chain.

>>> import gradtheory as gt
>>> advice = advise(gt.Chain(depth=2), [-0.1, 0.1], [0.0, 1.0], w=[9.0, 9.0], b=[0.0, -4.5])
>>> advice.exploding, advice.vanishing
((1, 2), ())

"""

from gradtheory.training.advice.advise import Advice, advise
from gradtheory.training.advice.diagnosis import LayerDiagnosis
from gradtheory.training.advice.prescription import Prescription

__all__ = ["Advice", "LayerDiagnosis", "Prescription", "advise"]
