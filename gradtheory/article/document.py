"""The article as data: the claims with their findings, joined to the words of one language."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import jinja2
import sympy

from gradtheory import __version__
from gradtheory.article.claims import CLAIMS, Claim
from gradtheory.chain import Chain
from gradtheory.derivation import GENERIC, Step

_FIGURES = {"depth": "layers", "widest": "sigmoid"}
_VALUES = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701  # LaTeX, not HTML


@dataclass(frozen=True)
class Section:
    """One claim, ready to be shown.

    Parameters
    ----------
    name, title, claim, result : str
        Prose with LaTeX between dollar signs.
    verdict : str
        The key of the verdict's words.
    steps : tuple of Step
    figure : str or None
        The name of the figure that belongs to it.

    """

    name: str
    title: str
    claim: str
    result: str
    verdict: str
    steps: tuple[Step, ...]
    figure: str | None


@dataclass(frozen=True)
class Document:
    """The whole article in one language.

    Parameters
    ----------
    lang : str
    words : mapping
        The message catalogue of that language.
    setting : mapping of str to tuple of str
        The chain's equations as LaTeX: forward, backward, product.
    sections : tuple of Section
    version : str

    """

    lang: str
    words: Mapping[str, Any]
    setting: Mapping[str, tuple[str, ...]]
    sections: tuple[Section, ...]
    version: str = __version__


def build(lang: str = "en") -> Document:
    """Compute every claim and return the article in a language."""
    words = tomllib.loads(files("gradtheory.article").joinpath(f"{lang}.toml").read_text(encoding="utf-8"))
    words["document"]["subtitle"] = _filled(words["document"]["subtitle"], {"version": __version__})
    sections = tuple(_section(claim, words["claims"][claim.name]) for claim in CLAIMS)
    return Document(lang=lang, words=words, setting=_setting(), sections=sections)


def _section(claim: Claim, prose: Mapping[str, str]) -> Section:
    finding = claim.finding()
    stated = {f"{name}_stated": value for name, value in claim.claimed.items()}
    values = {**claim.claimed, **stated, **finding.computed}
    return Section(
        name=claim.name,
        title=prose["title"],
        claim=_filled(prose["claim"], values),
        result=_filled(prose["result"], values),
        verdict=finding.verdict.value,
        steps=finding.steps,
        figure=_FIGURES.get(claim.name),
    )


def _filled(prose: str, values: Mapping[str, Any]) -> str:
    return _VALUES.from_string(prose).render(values)


def _setting() -> dict[str, tuple[str, ...]]:
    depth, layer = sympy.symbols("L l", integer=True, positive=True)
    chain = Chain(depth=depth, activation=GENERIC)
    product = sympy.Eq(sympy.Symbol(r"\frac{\partial C}{\partial w_l}"), chain.gradient(chain.w[layer]), evaluate=False)
    return {
        "forward": tuple(map(sympy.latex, chain.forward())),
        "backward": tuple(map(sympy.latex, chain.backward())),
        "product": (sympy.latex(product),),
    }
