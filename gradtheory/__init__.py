"""gradtheory: why gradients explode or vanish, exactly where, and what provably stops it.

A neuron is a = σ(wx + b); its factor in the chain rule is σ'(wx + b)·w. It *explodes* where its absolute value exceeds
a threshold, 1 by default. The public names are these (m: a module of several functions):

    activations       activation, activation_names, activation_parameters, expression (reads text), Activation
    one factor        explosion_set, exploding_weights, exploding_biases, explosion_width, critical_weight,
                      widest_explosion (K), explosion_formula; arrays (m: the same over NumPy arrays);
                      WidestExplosion, ExplosionFormula
    proofs            certificate, checker (m: a second program that checks one)
    numbers           guarantee (exact, certified or numeric?), Guarantee, Estimate, Estimates, Root
    chains            Chain (gradients in symbols and floats), total_explosion_set, exploding_parameter, curvature (m)
    any depth         total_explosion_bound, total_explosion_theorem, depth_bound, widest_total_explosion, two_point;
                      DepthBound, WidestTotalExplosion, TwoPoint
    networks          Network (from torch, ONNX; certified bounds on boxes), explosion_region, ExplosionRegion,
                      audit (which layer explodes, and why), Audit, monitor (of a training loop)
    derivations       derive (step by step, each step checked), fact, Derivation
    random weights    lyapunov_exponent, largest_lyapunov_exponent, factor_probability, overflow_depth, overflow_growth;
                      meanfield, gaussian, blocks, precision (m); architecture, Architecture, Growth, log_jacobian,
                      LogJacobian (finite width); initialisation, simulation; sweep (over grids, into Zarr)
    training          train, optimisers (m), stability_region, largest_stable_step, remedies (m),
                      compare_activations, advise (what is wrong, and what helps)
    your own code     testing (m: assert_gradients and more), strategies (m: for hypothesis)
    other modules     plots, article, atlas, gains; errors: every error is a GradTheoryError, its message one line

>>> import gradtheory as gt
>>> gt.explosion_set("tanh", w=2)
Interval.open(-log(1 + sqrt(2))/2, log(1 + sqrt(2))/2)

Names are imported when first used, so that `import gradtheory` loads neither SymPy nor NumPy. All others may change.
"""

from typing import Any

import lazy_loader

_attribute, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in __all__ or name.startswith("_"):
        return _attribute(name)
    from gradtheory.errors import in_a_module, no_such

    raise in_a_module(name) or no_such(name, "gradtheory", __all__)
