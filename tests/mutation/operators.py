"""What is changed, one thing at a time? mutmut's own operators, and those that a verifier needs besides.

mutmut changes numbers, texts, names, assignments, arguments, operators, conditions of ternaries. What turns a no into a
yes is often something else: a refusal that is left out, a condition that always holds, a link that falls out of a chain
of demands, an error of another kind.
"""

from collections.abc import Callable, Iterator
from typing import Any

import libcst as cst
from mutmut.mutation.mutators import mutation_operators

from glasswing_attest import errors

__all__ = ["OPERATORS", "OTHER_ERROR", "PROSE", "WORDS_FROM"]

PROSE = frozenset({"because", "wanted", "found", "do"})
"""Arguments and variables that hold the words of a message. Words are no verdict: class, code and place are."""

WORDS_FROM = {"ValueError": 0, "TypeError": 0, "refuse": 0, "_differs": 1, "require_seal": 2, "_same": 3}
"""From which of their positional arguments on these functions are told words alone."""

OTHER_ERROR = "OtherMutantError"
"""An error that is none of those that a test may ask for."""

_ERRORS = frozenset(n for n, v in vars(errors).items() if isinstance(v, type) and issubclass(v, Exception)) | {
    "TypeError",
    "ValueError",
}
_SWAPPED = {"any": "all", "all": "any", "min": "max", "max": "min"}
_YES, _NO, _NONE = cst.Name("True"), cst.Name("False"), cst.Name("None")

Mutants = Iterator[cst.CSTNode]


def _without(items: Any, position: int) -> list[Any]:
    return [*items[:position], *items[position + 1 :]]


def _left_out(node: cst.SimpleStatementLine) -> Mutants:
    for position, statement in enumerate(node.body):
        text = isinstance(statement, cst.Expr) and isinstance(statement.value, cst.SimpleString)
        if isinstance(statement, cst.Expr | cst.Raise | cst.Return | cst.AugAssign | cst.Continue) and not text:
            yield node.with_changes(body=[*node.body[:position], cst.Pass(), *node.body[position + 1 :]])


def _returns_nothing(node: cst.Return) -> Mutants:
    if node.value is not None:
        yield node.with_changes(value=_NONE)


def _decided(node: cst.If) -> Mutants:
    yield node.with_changes(test=_YES)
    yield node.with_changes(test=_NO)


def _never(node: cst.While) -> Mutants:
    yield node.with_changes(test=_NO)


def _no_turn(node: cst.For) -> Mutants:
    yield node.with_changes(iter=cst.Tuple([]))


def _unfiltered(node: cst.CompFor) -> Mutants:
    for position in range(len(node.ifs)):
        yield node.with_changes(ifs=_without(node.ifs, position))


def _one_side(node: cst.BooleanOperation) -> Mutants:
    yield node.left
    yield node.right


def _fixed(node: cst.Comparison) -> Mutants:
    yield _YES
    yield _NO
    if len(node.comparisons) > 1:
        yield node.with_changes(comparisons=node.comparisons[:-1])
        yield cst.Comparison(node.comparisons[0].comparator, node.comparisons[1:])


def _another_error(node: cst.Call) -> Mutants:
    if isinstance(node.func, cst.Name) and node.func.value in _ERRORS:
        yield node.with_changes(func=cst.Name(OTHER_ERROR))


def _another_function(node: cst.Call) -> Mutants:
    if isinstance(node.func, cst.Name) and node.func.value in _SWAPPED:
        yield node.with_changes(func=cst.Name(_SWAPPED[node.func.value]))


def _link_left_out(node: cst.Call) -> Mutants:
    # `policy.require_present(…)` gives a policy again: what is left without the link is one, too.
    if isinstance(node.func, cst.Attribute) and isinstance(node.func.value, cst.Call | cst.Name):
        yield node.func.value


def _not_caught(node: cst.ExceptHandler) -> Mutants:
    if node.type is not None and not isinstance(node.type, cst.Tuple):
        yield node.with_changes(type=cst.Tuple([]), whitespace_after_except=cst.SimpleWhitespace(" "))


def _element_left_out(node: cst.Tuple | cst.Set | cst.List | cst.Dict) -> Mutants:
    for position in range(len(node.elements)):
        rest = _without(node.elements, position)
        if rest or not isinstance(node, cst.Set):
            yield node.with_changes(elements=rest)


def _one_less(node: cst.Integer) -> Mutants:
    if node.evaluated_value > 0:
        yield node.with_changes(value=repr(node.evaluated_value - 1))


OPERATORS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    *mutation_operators,
    (cst.SimpleStatementLine, _left_out),
    (cst.Return, _returns_nothing),
    (cst.If, _decided),
    (cst.While, _never),
    (cst.For, _no_turn),
    (cst.CompFor, _unfiltered),
    (cst.BooleanOperation, _one_side),
    (cst.Comparison, _fixed),
    (cst.Call, _another_error),
    (cst.Call, _another_function),
    (cst.Call, _link_left_out),
    (cst.ExceptHandler, _not_caught),
    (cst.Tuple, _element_left_out),
    (cst.Set, _element_left_out),
    (cst.List, _element_left_out),
    (cst.Dict, _element_left_out),
    (cst.Integer, _one_less),
)
