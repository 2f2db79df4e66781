"""Names that completion offers and options take, read from the sources: help and completion load no SymPy."""

import ast

from gradtheory.arithmetic import sources


def activations() -> tuple[str, ...]:
    """Return the names in the catalogue."""
    return tuple(sources.activations())


def topics() -> tuple[str, ...]:
    """Return the topics of derivations."""
    value = sources.value_of("derivation/topics/__init__.py", "TOPICS")
    table = next(node for node in ast.walk(value) if isinstance(node, ast.Dict))
    return sources.texts(table.keys)


def facts() -> tuple[str, ...]:
    """Return the named facts."""
    return sources.first_arguments(sources.value_of("derivation/facts.py", "_ALL"), "Fact")


def optimisers() -> tuple[str, ...]:
    """Return the optimisers."""
    return sources.first_arguments(sources.value_of("training/optimisers/catalogue.py", "RULES"), "Rule")


def methods() -> tuple[str, ...]:
    """Return how the ends of explosion sets may be found."""
    return sources.texts(ast.walk(sources.value_of("explosion/superlevel/superlevel_set.py", "METHODS")))


def plots() -> dict[str, ast.FunctionDef]:
    """Return the functions of `gradtheory.plots`, by name, in the order of their files."""
    public = sources.texts(ast.walk(sources.value_of("plots/__init__.py", "__all__")))
    bodies = map(sources.statements, sources.modules("plots"))
    functions = (node for body in bodies for node in body if isinstance(node, ast.FunctionDef))
    return {node.name: node for node in functions if node.name in public}
