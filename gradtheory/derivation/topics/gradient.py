"""The gradient of a chain of any depth: the errors layer by layer, the product they make, and wide layers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import sympy

from gradtheory.activations import Z
from gradtheory.activations.slopes.switches import formula_left_of, formula_near
from gradtheory.arithmetic.enclosure import enclose, is_small_number_zero
from gradtheory.chains.chain import Chain
from gradtheory.chains.losses import loss_for
from gradtheory.chains.symbols import LayerProduct, equation, pre_activation
from gradtheory.derivation.digits import InNumbers, Rounded, rounds_to
from gradtheory.derivation.exact import leading
from gradtheory.derivation.graph import ChainRule
from gradtheory.derivation.language import GENERIC, Partial, Sigma, Slope
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics.question import EVERY_PARAMETER, Answer, Question
from gradtheory.derivation.topics.slope_maximum import slope_by_hand, slope_formula
from gradtheory.derivation.topics.wide_layers import wide_layers
from gradtheory.errors import Undecided
from gradtheory.formulas import WrittenProduct, WrittenSum
from gradtheory.formulas.order import factors

_DIGITS = 8
_GUARD = 3  # digits more, with which a rounded number is put in
_BITS = 200
_MOST_BITS = 200_000  # of a number that is written down, as 2^-200000
_BITS_PER_LAYER = 8  # by which a layer with a factor below 256 enlarges errors
_WRITTEN_OUT = 10  # layers of a chain whose gradients are all written out: their length grows with the square of these
_PUT_IN = ("gelu", "relu", "sigmoid", "silu", "tanh")  # whose σ' a textbook puts into the product


def gradient(question: Question) -> Answer:
    """Derive ∂C/∂w_l, ∂C/∂b_l or ∂C/∂x of a chain of concrete or symbolic depth."""
    record = question.activation
    loss_for(question.loss, record)  # refuses a pair that does not fit, by the activation's own name
    chain = Chain(question.depth, replace(GENERIC, range=record.range, log_odds=record.log_odds), question.loss)
    numbers = question.numbers(*(() if chain.is_symbolic else (chain.x, chain.y, *chain.w, *chain.b)))
    steps = _symbolic(question, chain) if chain.is_symbolic else _concrete(question, chain, numbers)
    said = ("every_layer",) * chain.is_symbolic + ("off_kinks",) * bool(record.kinks)
    definitions = equation(Sigma(Z), record.expr), *chain.forward()
    return Answer(definitions, (*steps, *wide_layers(question)), said=said, numbers=numbers)


def _concrete(question: Question, chain: Chain, numbers: dict[sympy.Symbol, sympy.Expr]) -> Iterator[Step]:
    rule, meaning = ChainRule(chain), question.meaning
    depth = int(chain.depth)
    wanted = _wanted(question.wrt, chain)
    lowest = min(chain.locate(wrt)[1] for wrt in wanted)

    def step(left: sympy.Expr, right: sympy.Expr, reason: str) -> Step:
        return Step(equation(left, right), reason, meaning, chain_rule=rule, section="backward")

    output = Partial(chain.C, chain.a[depth])
    nearest = max(lowest, 1)
    jacobian = WrittenProduct((Slope(chain.z[depth]), chain.w[depth]))
    last_layer = step(Partial(chain.a[depth], chain.a[depth - 1]), jacobian, "layer_jacobian")
    passes_last_layer = nearest + (lowest > 0) <= depth  # the gradient goes back through the last layer as a whole
    if len(wanted) == 1:
        yield step(Partial(chain.C, wanted[0]), WrittenProduct(*_links(chain, wanted[0])), "chain_of_layers")
        yield from [last_layer] * passes_last_layer
    yield step(output, chain.loss_slope(), "loss_slope")
    yield step(chain.delta[depth], WrittenProduct(chain.loss_slope(), Slope(chain.z[depth])), "output_error")
    for below in range(depth - 1, nearest - 1, -1):
        back = WrittenProduct((chain.delta[below + 1], chain.w[below + 1], Slope(chain.z[below])))
        yield step(chain.delta[below], back, "error_recursion")
    for wrt in wanted:
        letter, layer = chain.locate(wrt)
        error = WrittenProduct((chain.delta[max(layer, 1)], *_last(chain, wrt)))
        yield replace(step(Partial(chain.C, wrt), error, f"by_{letter}"), shown=_enters(chain, wrt))
    written_out = wanted if depth <= _WRITTEN_OUT else wanted[-1:]
    for wrt in written_out:
        reason = "product_at_output" if max(chain.locate(wrt)[1], 1) == depth else "product"
        yield step(Partial(chain.C, wrt), _product(chain, wrt, Slope), reason)
    yield from slope_formula(question)
    cancels = question.loss == "cross_entropy" and question.activation.name == "sigmoid"
    if cancels:
        error = WrittenSum(chain.a[depth], -chain.y)
        yield replace(step(chain.delta[depth], error, "error_of_cross_entropy"), section="slope")
    if question.activation.name in _PUT_IN and depth <= _WRITTEN_OUT:
        slope = slope_by_hand(question.activation)
        reason = ("slope_1_put_in" if slope is None else "slope_put_in") + ("" if len(wanted) == 1 else "_first")
        on: tuple[sympy.Basic, ...] = ()
        if slope is None:  # of relu, where it is 1
            rest = (*(chain.w[layer] for layer in range(depth, nearest, -1)), *_last(chain, wanted[-1]))
            product = WrittenProduct(chain.loss_slope(), rest) if rest else chain.loss_slope()
            on = tuple(sympy.Gt(chain.z[layer], 0) for layer in range(depth, nearest - 1, -1))
        else:
            product = _product(chain, wanted[-1], lambda z: slope.xreplace({Z: z}))
        if cancels:  # δ_L = a_L - y in the place of ∂C/∂a_L and of σ'(z_L)
            _, last, *below = product.groups
            product = WrittenProduct((error, *last[len(factors(slope)) :]), *below)
        yield replace(step(Partial(chain.C, wanted[-1]), product, reason), section="slope", assumptions=on)
    if numbers:
        yield from _in_numbers(question, chain, numbers, wanted)


def _wanted(wrt: str, chain: Chain) -> list[sympy.Expr]:
    """Return what the loss is differentiated by: one symbol, or all weights and biases from the last layer on."""
    if not isinstance(wrt, str) or wrt != EVERY_PARAMETER:
        return [chain.symbol(wrt)]
    return [symbol for layer in reversed(chain.layers()) for symbol in (chain.b[layer], chain.w[layer])]


def _links(chain: Chain, wrt: sympy.Expr) -> list[sympy.Expr]:
    """Return ∂C/∂a_L, ∂a_L/∂a_{L-1}, … and the derivative of the layer of `wrt` by it."""
    _, layer = chain.locate(wrt)
    depth, nearest = int(chain.depth), max(layer, 1)
    between = (Partial(chain.a[above], chain.a[above - 1]) for above in range(depth, nearest, -1))
    return [Partial(chain.C, chain.a[depth]), *between, Partial(chain.a[nearest], wrt)]


def _last(chain: Chain, wrt: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """Return ∂z_l/∂wrt, where z_l is the first pre-activation that it enters: nothing for 1."""
    letter, layer = chain.locate(wrt)
    return {"w": (chain.a[layer - 1],) if letter == "w" else (), "b": (), "a": (chain.w[1],)}[letter]


def _enters(chain: Chain, wrt: sympy.Expr) -> tuple[tuple[str, sympy.Expr], ...]:
    """Return what a reason says of a weight: its pre-activation, itself, and the activation that it multiplies."""
    letter, layer = chain.locate(wrt)
    return (("z", chain.z[layer]), ("w", wrt), ("a", chain.a[layer - 1])) if letter == "w" else ()


def _product(chain: Chain, wrt: sympy.Expr, slope: Callable[[sympy.Expr], sympy.Expr]) -> sympy.Expr:
    """Return ∂C/∂a_L · σ'(z_L) w_L · … as the chain rule reads."""
    nearest, depth = max(chain.locate(wrt)[1], 1), int(chain.depth)
    above = ((*factors(slope(chain.z[layer])), chain.w[layer]) for layer in range(depth, nearest, -1))
    return WrittenProduct(chain.loss_slope(), *above, (*factors(slope(chain.z[nearest])), *_last(chain, wrt)))


def _in_numbers(
    question: Question, chain: Chain, values: dict[sympy.Expr, sympy.Expr], wanted: Sequence[sympy.Expr]
) -> Iterator[Step]:
    """Yield the forward pass and the gradients with the numbers put in."""
    meaning, record = question.meaning, question.activation
    numbers, known = dict(values), list[sympy.Expr]()
    bits = _BITS + _BITS_PER_LAYER * int(chain.depth)

    def tried(name: sympy.Expr, rhs: sympy.Expr, value: sympy.Expr) -> Iterator[InNumbers]:
        for shown in (_DIGITS, _DIGITS + 1):  # with one more, nothing lies halfway between two numbers
            for digits in range(_DIGITS + _GUARD, bits, _GUARD):
                written = {each: Rounded.of(each, numbers[each], digits) for each in known}
                yield InNumbers.of(name, rhs, numbers, value, shown, written)

    def is_so(statement: InNumbers) -> bool:
        return rounds_to(meaning.value(statement.rhs, statement.written), statement.result)

    def step(name: sympy.Expr, rhs: sympy.Expr, reason: str) -> Step:
        exact = meaning.value(rhs, numbers)
        value = _number(name, exact, bits)
        statement = next(filter(is_so, tried(name, rhs, value)), None)
        if statement is None:
            raise Undecided(f"{name} does not come from rounded numbers")
        numbers[name] = value
        known.append(name)
        return Step(statement, reason, meaning, section="chain_in_numbers")

    for layer in range(1, int(chain.depth) + 1):
        z = chain.z[layer]
        yield step(z, pre_activation(chain, layer), "forward")
        of_slope = formula_near if record.branches is not None else formula_left_of  # as `Activation.slope`
        value, slope = formula_near(record.expr, Z, numbers[z]), of_slope(record.slope_expr, Z, numbers[z])
        yield step(chain.a[layer], value.xreplace({Z: z}), "forward")
        yield step(Slope(z), slope.xreplace({Z: z}), "slope_in_numbers")
    for wrt in wanted:
        yield step(Partial(chain.C, wrt), _product(chain, wrt, Slope), "product_in_numbers")


def _number(name: sympy.Expr, exact: sympy.Expr, bits: int) -> sympy.Rational:
    """Return a rational very close to a number that is put in, relative to its size."""
    if enclose(exact, bits).contains(0) and is_small_number_zero(exact):
        return sympy.S.Zero
    value = leading(exact, bits, _MOST_BITS)
    if value is None:
        is_seen = not enclose(exact, bits).contains(0)
        raise Undecided(f"{name} is too small to write down, but not 0" if is_seen else f"{name} is not told from 0")
    return value


def _symbolic(question: Question, chain: Chain) -> Iterator[Step]:
    rule, meaning = ChainRule(chain), question.meaning
    depth = chain.depth
    layer, index = chain.layer_index("l"), chain.layer_index("k")

    def step(left: sympy.Expr, right: sympy.Expr, reason: str) -> Step:
        return Step(equation(left, right), reason, meaning, chain_rule=rule, section="backward")

    output, slope = Partial(chain.C, chain.a[depth]), Slope(chain.z[layer])
    between = LayerProduct(WrittenProduct((Slope(chain.z[index]), chain.w[index])), (index, layer + 1, depth))
    start = chain.loss_slope()
    back = WrittenProduct((chain.delta[layer + 1], chain.w[layer + 1], slope))
    links = LayerProduct(Partial(chain.a[index], chain.a[index - 1]), (index, layer + 1, depth))
    whole = WrittenProduct(output, links, Partial(chain.a[layer], chain.w[layer]))
    yield step(Partial(chain.C, chain.w[layer]), whole, "chain_of_layers")
    yield step(Partial(chain.a[layer], chain.a[layer - 1]), WrittenProduct((slope, chain.w[layer])), "layer_jacobian")
    yield step(output, start, "loss_slope")
    yield step(chain.delta[depth], WrittenProduct(start, Slope(chain.z[depth])), "output_error")
    before_last = (sympy.Lt(layer, depth, evaluate=False),)
    yield replace(step(chain.delta[layer], back, "error_recursion"), assumptions=before_last)
    yield step(chain.delta[layer], WrittenProduct(start, between, slope), "product")
    yield step(Partial(chain.C, chain.b[layer]), chain.delta[layer], "by_b")
    by_weight = WrittenProduct((chain.delta[layer], chain.a[layer - 1]))
    yield replace(step(Partial(chain.C, chain.w[layer]), by_weight, "by_w"), shown=_enters(chain, chain.w[layer]))
    yield step(Partial(chain.C, chain.b[layer]), WrittenProduct(start, between, slope), "product_by_b")
    by_weight = WrittenProduct(start, between, (slope, chain.a[layer - 1]))
    yield step(Partial(chain.C, chain.w[layer]), by_weight, "product_by_w")
    yield from slope_formula(question)
