"""What optimisers do near the minimum of ½h·w², where the preconditioner of an adaptive one does not stay fixed.

h is here the curvature of the loss, not preconditioned.
"""

import sympy

from gradtheory.formulas.text import text
from gradtheory.training.optimisers.update_rule import Rule
from gradtheory.training.stability.iteration import BETA, DECAY, EPSILON, ETA, H


def limit_at_zero(rule: Rule, limit: sympy.Expr) -> sympy.Expr:
    """Return the learning rate below which w = 0 attracts, from the limit that holds with a fixed preconditioner.

    s is of second order in w, so √s + ε tends to ε: the preconditioned curvature is h/ε.

    Examples
    --------
    >>> from gradtheory.training.optimisers.catalogue import RULES
    >>> limit_at_zero(RULES["rmsprop"], 2 / H), cycle(RULES["rmsprop"])
    (2*epsilon/h, -epsilon/h + eta/2)

    """
    if not rule.is_adaptive:
        return limit
    above, below = sympy.fraction(limit)
    return EPSILON * above / sympy.collect(sympy.expand(EPSILON * below.xreplace({H: H / EPSILON})), (H, DECAY))


def cycle(rule: Rule) -> sympy.Expr | None:
    """Return the |w| at which w, -w, w, … goes on for ever, above `limit_at_zero`; None if the rule is not adaptive.

    There √s = h|w|, and a mean of the gradients with the decay β is (1 - β)/(1 + β) of one of them. So the step 2|w| is
    η·(1 - β)/(1 + β)·h|w|/(h|w| + ε), and for AdamW ηλ|w| more.
    """
    if not rule.is_adaptive:
        return None
    share = (1 - BETA) / (1 + BETA) if rule.has_momentum else sympy.S.One
    return ETA * share / (2 - ETA * DECAY if rule.is_decoupled else 2) - EPSILON / H


def near_zero(rule: Rule, limit: sympy.Expr) -> str:
    """Return in words what the optimiser does near w = 0."""
    if not rule.is_adaptive:
        return f"converges to 0 for η < {text(limit)}: the iteration is linear"
    size, while_small = text(cycle(rule)), " while η λ < 2" if rule.is_decoupled else ""
    return (
        f"the preconditioner falls to ε, so 0 attracts only for η < {text(limit_at_zero(rule, limit))}, h that of the "
        f"loss; above that w does not settle at 0: alternating between w and -w at |w| = {size} is a cycle{while_small}"
    )
