"""What stands behind a number: every result says whether it is exact, certified or numeric."""

from enum import Enum

import sympy

from gradtheory.root import Root


class Guarantee(Enum):
    """How far a number can be trusted; the value is the word that is shown."""

    EXACT = "exact"  # a closed form
    CERTIFIED = "certified"  # an equation and an isolating interval proven in ball arithmetic
    NUMERIC = "numeric"  # float64, with a stated error


def guarantee(*results: sympy.Basic) -> Guarantee:
    """Return the guarantee behind SymPy results: certified as soon as one of them rests on a `Root`.

    Examples
    --------
    >>> import gradtheory as gt
    >>> guarantee(gt.widest_explosion("sigmoid").width), guarantee(gt.explosion_width("sigmoid", w=7))
    (<Guarantee.CERTIFIED: 'certified'>, <Guarantee.EXACT: 'exact'>)

    """
    return Guarantee.CERTIFIED if any(each.atoms(Root) for each in results) else Guarantee.EXACT
