"""A tree printed: as LaTeX, always unambiguous, whatever way it was typed."""

from __future__ import annotations

from coursework.backprop.judge.tree import (
    Add,
    Apply,
    Divide,
    Letter,
    Multiply,
    Negative,
    Node,
    Number,
    Over,
    Partial,
    Power,
    Ref,
)

_NAMES = {"delta": r"\delta", "t": "t_{n}", "E": "E_{n}", "y": "y", "W": "W"}
_FUNCTIONS = {
    "h": "h",
    "h'": "h'",
    "sigma": r"\sigma",
    "sigma'": r"\sigma'",
    "tanh": r"\tanh",
    "tanh'": r"\tanh'",
    "ln": r"\ln",
    "sign": r"\operatorname{sgn}",
}
_ADDITIVE, _MULTIPLICATIVE, _TIGHT = 0, 1, 2


def latex(node: Node) -> str:
    """Return `node` as LaTeX, without dollar signs."""
    return _print(node, _ADDITIVE)


def _print(node: Node, tightness: int) -> str:
    """Return `node`, in parentheses where it binds less tightly than `tightness` asks for."""
    text, own = _bare(node)
    return rf"\left({text}\right)" if own < tightness else text


def _bare(node: Node) -> tuple[str, int]:
    match node:
        case Number(text=text):
            return text, _TIGHT
        case Letter(index=index):
            return str(index), _ADDITIVE if index.letter and index.offset else _TIGHT
        case Ref():
            return quantity(node), _TIGHT
        case Partial(top=top, bottom=bottom):
            return rf"\frac{{\partial {quantity(top)}}}{{\partial {quantity(bottom)}}}", _TIGHT
        case Apply(function="step", argument=argument):
            return rf"[{latex(argument)}>0]", _TIGHT
        case Apply(function="relu", argument=argument):
            return rf"\max(0,{latex(argument)})", _TIGHT
        case Apply(function="abs", argument=argument):
            return rf"\left|{latex(argument)}\right|", _TIGHT
        case Apply(function="exp", argument=argument):
            return f"e^{{{latex(argument)}}}", _TIGHT
        case Apply(function="sqrt", argument=argument):
            return rf"\sqrt{{{latex(argument)}}}", _TIGHT
        case Apply(function=function, argument=argument):
            return f"{_FUNCTIONS[function]}({latex(argument)})", _TIGHT
        case Negative(term=term):
            return f"-{_print(term, _MULTIPLICATIVE)}", _ADDITIVE
        case Add(terms=(Number(value=1), Negative(term=Apply(function="step", argument=argument)))):
            turned = argument.term if isinstance(argument, Negative) else None
            return rf"[{latex(turned)}\ge 0]" if turned else rf"[{latex(argument)}\le 0]", _TIGHT
        case Add(terms=terms):
            first, *rest = (_print(term, _ADDITIVE) for term in terms)
            signed = (term if term.startswith("-") else f"+{term}" for term in rest)
            return first + "".join(signed), _ADDITIVE
        case Multiply(factors=factors):
            return _factors(factors), _MULTIPLICATIVE
        case Divide(top=top, bottom=bottom):
            return rf"\frac{{{latex(top)}}}{{{latex(bottom)}}}", _TIGHT
        case Power(base=base, exponent=exponent):
            shown = _print(base, _TIGHT)
            plain = isinstance(base, Number) or shown.startswith(r"\left(")
            return (shown if plain else rf"\left({shown}\right)") + f"^{{{latex(exponent)}}}", _TIGHT
        case Over(kind=kind, letter=letter, low=low, high=high, body=body):
            sign = r"\sum" if kind == "sum" else r"\prod"
            return rf"{sign}_{{{letter}={low}}}^{{{high}}}{_print(body, _MULTIPLICATIVE)}", _MULTIPLICATIVE


def _factors(factors: tuple[Node, ...]) -> str:
    shown: list[str] = []
    for place, factor in enumerate(factors):
        text = _print(factor, _TIGHT if isinstance(factor, Multiply) else _MULTIPLICATIVE)
        if isinstance(factor, Over) and place < len(factors) - 1:
            text = rf"\left({text}\right)"
        two_numbers = isinstance(factor, Number) and shown and shown[-1][-1:].isdigit()
        shown.append(r"\cdot " + text if two_numbers else text)
    return r"\,".join(shown)


def quantity(ref: Ref) -> str:
    """Return a quantity with its indices."""
    name = _NAMES.get(ref.name, ref.name)
    if ref.layer is None:
        return name
    plain = all(len(str(unit)) == 1 for unit in ref.units)
    units = ("" if plain else ",").join(map(str, ref.units))
    return f"{name}_{{{units}}}" if ref.name == "x" else f"{name}_{{{units}}}^{{({ref.layer})}}"
