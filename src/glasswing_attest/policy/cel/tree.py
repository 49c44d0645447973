"""What does a CEL expression say?

CEL (cel-spec, doc/langdef.md) is parsed by the grammar of `cel-python`, and built into a small tree of our own. What
is not in that tree is refused when the policy is read, not when it is used: a name that nothing has, a function that is
not read here, a message or bytes. ::

    names       predicate, subject, signer, and the variables of macros
    literals    true, false, null, 1, 1u, 0.95, "text", r"text", [1, 2], {"a": 1}
    operators   e.f  e["f"]  e[0]  !  -  * / %  + -  < <= > >= == !=  in  &&  ||  ? :
    macros      has(e.f)  e.all(x, p)  e.exists(x, p)  e.exists_one(x, p)  e.filter(x, p)  e.map(x, t)
    functions   size  int  double  string  timestamp  duration  dyn
    methods     size  startsWith  endsWith  contains  matches
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

__all__ = [
    "FUNCTIONS",
    "MACROS",
    "METHODS",
    "VARIABLES",
    "Both",
    "Call",
    "Choice",
    "Either",
    "Expression",
    "Has",
    "Index",
    "List",
    "Literal",
    "Macro",
    "Map",
    "Member",
    "Method",
    "Name",
    "NotRead",
    "Operation",
    "Unary",
    "build",
    "within",
]

VARIABLES = ("predicate", "subject", "signer")
FUNCTIONS = ("size", "int", "double", "string", "timestamp", "duration", "dyn")
METHODS: Mapping[str, int] = {"size": 0, "startsWith": 1, "endsWith": 1, "contains": 1, "matches": 1}
MACROS: Mapping[str, tuple[int, ...]] = {"all": (2,), "exists": (2,), "exists_one": (2,), "filter": (2,), "map": (2, 3)}

_DEEPEST = 64
_INT64 = range(-(2**63), 2**63)
_DECIMAL = re.compile(r"-?(?:[0-9]{1,100}\.?[0-9]{0,100}|\.[0-9]{1,100})(?:[eE][+-]?[0-9]{1,2})?")


class NotRead(ValueError):
    """The expression says something that is not read here."""

    def __init__(self, because: str, *, line: int | None = None, column: int | None = None) -> None:
        super().__init__(because)
        self.because = because
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that stands in the policy."""

    value: bool | int | Decimal | str | None


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """``of.name``."""

    of: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """``of[at]``."""

    of: Expression
    at: Expression


@dataclass(frozen=True, slots=True)
class Has:
    """``has(of.name)``."""

    of: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """``function(of)``."""

    function: str
    of: Expression


@dataclass(frozen=True, slots=True)
class Method:
    """``of.name(argument)``."""

    of: Expression
    name: str
    argument: Expression | None


@dataclass(frozen=True, slots=True)
class Macro:
    """``of.name(variable, body)``, or ``of.map(variable, only, body)``."""

    of: Expression
    name: str
    variable: str
    only: Expression | None
    body: Expression


@dataclass(frozen=True, slots=True)
class Unary:
    """``!of`` or ``-of``."""

    sign: str
    of: Expression


@dataclass(frozen=True, slots=True)
class Operation:
    """``left sign right``."""

    sign: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Both:
    """``a && b && …``."""

    of: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """``a || b || …``."""

    of: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """``condition ? yes : no``."""

    condition: Expression
    yes: Expression
    no: Expression


@dataclass(frozen=True, slots=True)
class List:
    """``[a, b]``."""

    of: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Map:
    """``{a: b}``."""

    of: tuple[tuple[Expression, Expression], ...]


_Simple: TypeAlias = "Literal | Name | Member | Index | Has | Call | Method | Macro"
_Composed: TypeAlias = "Unary | Operation | Both | Either | Choice | List | Map"
Expression: TypeAlias = "_Simple | _Composed"


def within(expression: Expression) -> Iterator[Expression]:
    """Give an expression and all that stand in it."""
    left: list[Expression] = [expression]
    while left:
        each = left.pop()
        yield each
        left += reversed(list(_inside(each)))


def _inside(of: Expression) -> Iterable[Expression]:
    match of:
        case Member() | Has() | Call() | Unary():
            return (of.of,)
        case Index():
            return (of.of, of.at)
        case Method():
            return (of.of,) if of.argument is None else (of.of, of.argument)
        case Macro():
            return (of.of, of.body) if of.only is None else (of.of, of.only, of.body)
        case Operation():
            return (of.left, of.right)
        case Both() | Either() | List():
            return of.of
        case Choice():
            return (of.condition, of.yes, of.no)
        case Map():
            return [each for pair in of.of for each in pair]
        case _:
            return ()


# --- from the parser's tree ------------------------------------------------------------------------------------------

# The nodes that only say how tightly something binds.
_CHAIN = frozenset({"expr", "conditionalor", "conditionaland", "relation", "addition", "multiplication", "unary"})
_WRAPS = _CHAIN | {"member", "primary"}
_SIGNS = {
    "relation_lt": "<",
    "relation_le": "<=",
    "relation_gt": ">",
    "relation_ge": ">=",
    "relation_eq": "==",
    "relation_ne": "!=",
    "relation_in": "in",
    "addition_add": "+",
    "addition_sub": "-",
    "multiplication_mul": "*",
    "multiplication_div": "/",
    "multiplication_mod": "%",
}


def build(parsed: Any) -> Expression:
    """Build the tree from what `celpy.celparser.CELParser` parsed. Raises `NotRead`."""
    return _Builder().expression(parsed, frozenset(VARIABLES), 0)


class _Builder:
    def expression(self, node: Any, names: frozenset[str], depth: int) -> Expression:
        if depth > _DEEPEST:
            raise _refused("it is nested too deeply", node)
        while node.data in _CHAIN and len(node.children) == 1:
            (node,) = node.children

        def inner(child: Any) -> Expression:
            return self.expression(child, names, depth + 1)

        children = node.children
        match node.data, len(children):
            case "expr", 3:
                return Choice(*map(inner, children))
            case "conditionalor", 2:
                return Either(tuple(map(inner, _operands(node))))
            case "conditionaland", 2:
                return Both(tuple(map(inner, _operands(node))))
            case (("relation" | "addition" | "multiplication"), 2):
                sign, right = children
                return Operation(_SIGNS[sign.data], inner(sign.children[0]), inner(right))
            case "unary", 2:
                return Unary("!" if children[0].data == "unary_not" else "-", inner(children[1]))
            case "member", 1:
                return self._member(children[0], names, depth)
            case _:
                raise _refused(f"{node.data} is not read here", node)

    def _member(self, node: Any, names: frozenset[str], depth: int) -> Expression:
        children = node.children
        match node.data:
            case "primary":
                return self._primary(children[0], names, depth)
            case "member_dot":
                return Member(self.expression(children[0], names, depth + 1), str(children[1]))
            case "member_index":
                of, at = (self.expression(child, names, depth + 1) for child in children)
                return Index(of, at)
            case "member_dot_arg":
                return self._method(node, names, depth)
            case _:
                raise _refused("messages are not read here", node)

    def _method(self, node: Any, names: frozenset[str], depth: int) -> Expression:
        of, name = self.expression(node.children[0], names, depth + 1), str(node.children[1])
        arguments = node.children[2].children if len(node.children) > 2 else []
        if name in MACROS:
            if len(arguments) not in MACROS[name]:
                raise _refused(f"{name} takes a variable and an expression", node)
            variable = _identifier(arguments[0])
            if variable is None or variable in VARIABLES:
                raise _refused(f"the first argument of {name} is a name of its own", arguments[0])
            inner = [self.expression(a, names | {variable}, depth + 1) for a in arguments[1:]]
            return Macro(of, name, variable, inner[0] if len(inner) > 1 else None, inner[-1])
        if name not in METHODS:
            raise _refused(f"there is no method {name}: one of {', '.join((*METHODS, *MACROS))}", node)
        if len(arguments) != METHODS[name]:
            raise _refused(f"{name} takes {METHODS[name]} arguments", node)
        argument = self.expression(arguments[0], names, depth + 1) if arguments else None
        if name == "matches" and not (isinstance(argument, Literal) and isinstance(argument.value, str)):
            raise _refused("what to match is written out, as a text", node)
        return Method(of, name, argument)

    def _primary(self, node: Any, names: frozenset[str], depth: int) -> Expression:
        children = node.children
        match node.data:
            case "literal":
                return Literal(_literal(children[0]))
            case "paren_expr":
                return self.expression(children[0], names, depth + 1)
            case "list_lit":
                items = children[0].children if children else ()
                return List(tuple(self.expression(item, names, depth + 1) for item in items))
            case "map_lit":
                items = [self.expression(i, names, depth + 1) for i in (children[0].children if children else ())]
                return Map(tuple(zip(items[::2], items[1::2], strict=True)))
            case "ident" | "dot_ident":
                # With a dot in front it is none of a macro's.
                if str(children[0]) not in (VARIABLES if node.data == "dot_ident" else names):
                    raise _refused(f"there is no {children[0]}: one of {', '.join(VARIABLES)}", node)
                return Name(str(children[0]))
            case "ident_arg":
                return self._call(node, names, depth)
            case _:
                raise _refused(f"{node.data} is not read here", node)

    def _call(self, node: Any, names: frozenset[str], depth: int) -> Expression:
        name = str(node.children[0])
        arguments = node.children[1].children if len(node.children) > 1 else []
        if name not in (*FUNCTIONS, "has"):
            raise _refused(f"there is no function {name}: one of has, {', '.join(FUNCTIONS)}", node)
        if len(arguments) != 1:
            raise _refused(f"{name} takes one argument", node)
        of = self.expression(arguments[0], names, depth + 1)
        if name != "has":
            return of if name == "dyn" else Call(name, of)
        if not isinstance(of, Member):
            raise _refused("has takes a field, such as has(predicate.metrics)", node)
        return Has(of.of, of.name)


def _operands(node: Any) -> list[Any]:
    """Give all operands of a chain of the same operator; a long one is not deep."""
    found: list[Any] = []
    kind = node.data
    while node.data == kind and len(node.children) == 2:
        node, last = node.children
        found.append(last)
    return [node, *reversed(found)]


def _identifier(node: Any) -> str | None:
    while node.data in _WRAPS and len(node.children) == 1:
        (node,) = node.children
    return str(node.children[0]) if node.data == "ident" else None


def _refused(because: str, node: Any) -> NotRead:
    meta = getattr(node, "meta", None)
    return NotRead(because, line=getattr(meta, "line", None), column=getattr(meta, "column", None))


# --- literals --------------------------------------------------------------------------------------------------------

_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\?\"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.?))", re.S
)
_SIMPLE = dict(zip("abfnrtv\\?\"'`", "\a\b\f\n\r\t\v\\?\"'`", strict=True))


def _literal(token: Any) -> bool | int | Decimal | str | None:
    text = str(token)
    try:
        match token.type:
            case "BOOL_LIT":
                return text == "true"
            case "NULL_LIT":
                return None
            case "INT_LIT" | "UINT_LIT":
                return _integer(text)
            case "FLOAT_LIT" if _DECIMAL.fullmatch(text):
                return Decimal(text)
            case "STRING_LIT" | "MLSTRING_LIT":
                return _text(text)
            case _:
                raise ValueError(f"{text} is not read here")
    except (ValueError, InvalidOperation, OverflowError) as e:
        raise NotRead(str(e) or "no literal", line=token.line, column=token.column) from e


def _integer(text: str) -> int:
    unsigned = text[-1] in "uU"
    plain = text[:-1] if unsigned else text
    value = int(plain, 16) if "x" in plain.lower() else int(plain) if len(plain) < 40 else 2**64
    if value not in (range(2**64) if unsigned else _INT64):
        raise ValueError("an integer has 64 bits")
    return value


def _text(text: str) -> str:
    raw = text[0] in "rR"
    quoted = text[1:] if raw else text
    width = 3 if quoted[:3] in ('"""', "'''") and len(quoted) >= 6 else 1
    inner = quoted[width:-width]
    if raw and f"\\{quoted[0]}" in inner:
        raise ValueError("in a raw text nothing stands before a quote that would escape it")
    found = inner if raw else _ESCAPE.sub(_unescaped, inner)
    if any("\ud800" <= c <= "\udfff" for c in found):
        raise ValueError("half a character")
    return found


def _unescaped(found: re.Match[str]) -> str:
    simple, *codes, odd = found.groups()
    if odd is not None:
        raise ValueError(f"there is no escape \\{odd}")
    if simple is not None:
        return _SIMPLE[simple]
    x, u, long, octal = codes
    return chr(int(octal, 8)) if octal is not None else chr(int(x or u or long, 16))
