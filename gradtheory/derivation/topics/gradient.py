"""The gradient of a chain of any depth: the errors layer by layer, the product they make, and wide layers."""

from collections.abc import Iterator
from dataclasses import replace

import sympy

from gradtheory.activations import Z
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.chains.chain import Chain
from gradtheory.chains.losses import loss_for
from gradtheory.chains.symbols import LayerProduct, equation
from gradtheory.derivation.exact import near
from gradtheory.derivation.graph import ChainRule
from gradtheory.derivation.language import GENERIC, InNumbers, Partial, Slope
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import Answer, Question, in_order
from gradtheory.derivation.topics.slope_maximum import slope_formula
from gradtheory.derivation.topics.wide import wide_layers

_DIGITS = 8
_BITS = 200


def gradient(question: Question) -> Answer:
    """Derive ∂C/∂w_l, ∂C/∂b_l or ∂C/∂x of a chain of concrete or symbolic depth."""
    record = question.activation
    loss_for(question.loss, record)  # refuses a pair that does not fit, by the activation's own name
    chain = Chain(question.depth, replace(GENERIC, range=record.range, log_odds=record.log_odds), question.loss)
    steps = _symbolic(question, chain) if chain.is_symbolic else _concrete(question, chain)
    return Answer(chain.forward(), (*steps, *wide_layers(question)))


def _concrete(question: Question, chain: Chain) -> Iterator[Step]:
    rule, meaning = ChainRule(chain), question.meaning
    wrt = chain.symbol(question.wrt)
    letter, layer = chain.locate(wrt)
    depth = int(chain.depth)
    numbers = question.numbers(chain.x, chain.y, *chain.w, *chain.b)

    def step(statement: sympy.Eq, reason: str, **more: object) -> Step:
        return Step(statement, reason, meaning, chain_rule=rule, section="backward", **more)  # type: ignore[arg-type]

    output = chain.a[depth]
    yield step(equation(Partial(chain.C, output), chain.loss_slope()), "loss_slope")
    yield step(equation(chain.delta[depth], in_order(Partial(chain.C, output), Slope(chain.z[depth]))), "output_error")
    for below in range(depth - 1, max(layer, 1) - 1, -1):
        yield step(
            equation(chain.delta[below], in_order(chain.delta[below + 1], chain.w[below + 1], Slope(chain.z[below]))),
            "error_recursion",
        )
    nearest = max(layer, 1)
    yield step(
        equation(Partial(chain.a[nearest], chain.a[nearest - 1]), Slope(chain.z[nearest]) * chain.w[nearest]),
        "layer_jacobian",
    )
    last = {"w": chain.a[layer - 1] if letter == "w" else 1, "b": sympy.S.One, "a": chain.w[1]}[letter]
    yield step(equation(Partial(chain.C, wrt), in_order(chain.delta[nearest], last)), f"by_{letter}")
    product = in_order(
        chain.loss_slope(),
        *(factor for above in range(depth, nearest, -1) for factor in (Slope(chain.z[above]), chain.w[above])),
        Slope(chain.z[nearest]),
        last,
    )
    yield step(equation(Partial(chain.C, wrt), product), "product")
    yield from slope_formula(question)
    if numbers:
        yield from _in_numbers(question, chain, numbers, Partial(chain.C, wrt), product)


def _in_numbers(
    question: Question, chain: Chain, values: dict[sympy.Expr, sympy.Expr], wrt: Partial, product: sympy.Expr
) -> Iterator[Step]:
    """Yield the forward pass and the gradient with the numbers put in."""
    meaning, record = question.meaning, question.activation
    numbers = dict(values)

    def step(name: sympy.Expr, rhs: sympy.Expr, reason: str) -> Step:
        value = near(meaning.value(rhs, numbers), _BITS)
        statement = InNumbers.of(name, rhs, numbers, value, _DIGITS)
        numbers[name] = statement.result.rhs
        return Step(statement, reason, meaning, section="numbers")

    for layer in range(1, int(chain.depth) + 1):
        z = chain.z[layer]
        yield step(z, chain.w[layer] * chain.a[layer - 1] + chain.b[layer], "forward")
        for name, formula in ((chain.a[layer], record.expr), (Slope(z), record.slope_expr)):
            yield step(name, formula_near(formula, Z, numbers[z]).xreplace({Z: z}), "forward")
    yield step(wrt, product, "product_in_numbers")


def _symbolic(question: Question, chain: Chain) -> Iterator[Step]:
    rule, meaning = ChainRule(chain), question.meaning
    depth = chain.depth
    layer, index = chain.layer_index("l"), chain.layer_index("k")
    question.numbers()

    def step(left: sympy.Expr, right: sympy.Expr, reason: str) -> Step:
        return Step(equation(left, right), reason, meaning, chain_rule=rule, section="backward")

    output = Partial(chain.C, chain.a[depth])
    product = LayerProduct(Slope(chain.z[index]) * chain.w[index], (index, layer + 1, depth))
    start = chain.loss_slope()
    yield step(output, start, "loss_slope")
    yield step(chain.delta[depth], in_order(output, Slope(chain.z[depth])), "output_error")
    yield step(
        chain.delta[layer],
        in_order(chain.delta[layer + 1], chain.w[layer + 1], Slope(chain.z[layer])),
        "error_recursion",
    )
    yield step(Partial(chain.a[layer], chain.a[layer - 1]), Slope(chain.z[layer]) * chain.w[layer], "layer_jacobian")
    yield step(chain.delta[layer], in_order(start, Slope(chain.z[layer]), product), "product")
    yield step(Partial(chain.C, chain.w[layer]), in_order(chain.delta[layer], chain.a[layer - 1]), "by_w")
    yield step(Partial(chain.C, chain.b[layer]), chain.delta[layer], "by_b")
    yield step(
        Partial(chain.C, chain.w[layer]), in_order(start, Slope(chain.z[layer]), chain.a[layer - 1], product), "product"
    )
    yield step(Partial(chain.C, chain.b[layer]), in_order(start, Slope(chain.z[layer]), product), "product")
