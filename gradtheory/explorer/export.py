"""What a reader takes along: the same questions as a program, the answers as LaTeX, and a derivation."""

import gradtheory as gt
from gradtheory.explorer.state import State


def as_python(state: State) -> str:
    """Return a program that asks the same.

    Examples
    --------
    >>> print(as_python(State()).splitlines()[3])
    print(gt.explosion_set(activation, w='7', b='1', threshold='1'))

    """
    text, place = state.activation, state.layer - 1
    w, b = ([*values] for values in (state.w, state.b))
    return "\n".join(
        [
            "import gradtheory as gt",
            "",
            f"activation = gt.activation({repr(text.strip()) if state.is_named else f'gt.expression({text!r})'})",
            f"print(gt.explosion_set(activation, w={w[place]!r}, b={b[place]!r}, threshold={state.c!r}))",
            f"print(gt.widest_explosion(activation, threshold={state.c!r}))",
            f"chain = gt.Chain(depth={state.depth}, activation=activation)",
            f"print(gt.total_explosion_set(chain, w={w!r}, b={b!r}, threshold={state.c!r}))",
            f"print(gt.total_explosion_bound(chain, threshold={state.c!r}))",
            f"print(gt.meanfield.chi(activation, 1, sigma_w={state.number('sigma_w')!r}))",
            "",
        ]
    )


def as_latex(*formulas: str) -> str:
    r"""Return formulas as displays of LaTeX.

    Examples
    --------
    >>> print(as_latex("x > 1"), end="")
    \[
    x > 1
    \]

    """
    return "".join(f"\\[\n{formula}\n\\]\n" for formula in formulas)


def derivation(state: State) -> str:
    """Return the derivation of the explosion set, with the numbers put in, as one HTML page."""
    place = state.layer - 1
    values = {"w": state.w[place], "b": state.b[place], "c": state.c}
    return gt.derive("explosion", activation=state.record, values=values, lang=state.lang).to_html()
