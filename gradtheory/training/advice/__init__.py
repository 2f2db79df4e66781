"""What is wrong with a chain or a network, and which remedy with which constant helps; each is tried on the loss.

>>> import gradtheory as gt
>>> advice = advise(gt.Chain(depth=2), [-0.1, 0.1], [0.0, 1.0], w=[9.0, 9.0], b=[0.0, -4.5])
>>> advice.exploding, advice.vanishing
((1, 2), ())

"""

from gradtheory.training.advice.advise import Advice, advise
from gradtheory.training.advice.of_chain.diagnosis import LayerDiagnosis
from gradtheory.training.advice.of_chain.prescription import Prescription
from gradtheory.training.advice.of_chain.trial_runs import STEPS
from gradtheory.training.advice.of_network.advise_network import NetworkAdvice, NetworkPrescription

__all__ = ["STEPS", "Advice", "LayerDiagnosis", "NetworkAdvice", "NetworkPrescription", "Prescription", "advise"]
