"""Which mutants does a module have? Each is its text with one change, and a name that outlives a shift of lines."""

import ast
import difflib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from tests.mutation.operators import OPERATORS, PROSE, WORDS_FROM

__all__ = ["Mutant", "Name", "mutants"]

Name: TypeAlias = tuple[str, str, str, str, int]
"""Module, function, what stood there, what stands there now, and which of those that read alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A module with one change.

    `within` is the outermost function or class that has it, "" outside of any. `line` is what stood there, `becomes`
    what stands there now, `nth` tells those apart that read alike. `first` and `last` are the lines that it is about.
    `is_code` tells that only the body of a function differs.
    """

    module: str
    within: str
    line: str
    becomes: str
    nth: int = 1
    first: int
    last: int
    is_code: bool
    source: str

    @property
    def name(self) -> Name:
        """What tells it from all others, whatever lines are inserted elsewhere."""
        return self.module, self.within, self.line, self.becomes, self.nth


def mutants(path: Path, module: str) -> Iterator[Mutant]:
    """Give every mutant of a module that reads differently, in the order of its lines."""
    text = path.read_text(encoding="utf-8")
    module_node = cst.parse_module(text)
    wrapper = MetadataWrapper(module_node)
    parts = [wrapper.module.code_for_node(statement) for statement in wrapper.module.body]
    head = "".join(wrapper.module.code_for_node(line) for line in wrapper.module.header)
    positions = wrapper.resolve(PositionProvider)
    names: Counter[Name] = Counter()
    for number, statement in enumerate(wrapper.module.body):
        visitor = _Visitor(positions)
        statement.visit(visitor)
        seen = {ast.dump(ast.parse(parts[number]))}
        for found in visitor.found:
            changed = wrapper.module.code_for_node(statement.visit(_Replaced(found.node, found.mutated)))  # type: ignore[arg-type]
            try:
                tree = ast.dump(ast.parse(changed))
            except SyntaxError:
                continue
            if tree in seen:
                continue
            seen.add(tree)
            line, becomes = _difference(parts[number], changed)
            made = Mutant(
                module=module,
                within=found.within,
                line=line,
                becomes=becomes,
                first=found.lines[0],
                last=found.lines[1],
                is_code=found.is_code,
                source="".join((head, *parts[:number], changed, *parts[number + 1 :])),
            )
            names[made.name] += 1
            yield replace(made, nth=names[made.name])


def _difference(text: str, source: str) -> tuple[str, str]:
    """Give the lines that differ, before and after, without their indentation."""
    before, after = text.splitlines(), source.splitlines()
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    blocks = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    gone = [line.strip() for _, start, end, _, _ in blocks for line in before[start:end]]
    come = [line.strip() for _, _, _, start, end in blocks for line in after[start:end]]
    return " ".join(gone), " ".join(come)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    node: cst.CSTNode
    mutated: cst.CSTNode
    within: str
    lines: tuple[int, int]
    is_code: bool


_STATEMENTS = (cst.SimpleStatementLine, cst.If, cst.For, cst.While, cst.Try, cst.With, cst.Param)


class _Visitor(cst.CSTVisitor):
    def __init__(self, positions: Mapping[cst.CSTNode, Any]) -> None:
        super().__init__()
        self._positions = positions
        self.found: list[_Found] = []
        self._names: list[str] = []
        self._depth = 0  # of functions
        self._bodies = 0  # of functions, without their parameters
        self._imports = 0  # of functions that an import calls
        self._lines: list[tuple[int, int]] = []
        self._words: set[cst.CSTNode] = set()
        self._spans: list[Any] = []  # of functions and classes

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _is_left_alone(node) or node in self._words:
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            if not self._depth:
                self._names.append(node.name.value)
            # What a class does when one derives from it is done at import.
            self._imports += node.name.value == "__init_subclass__"
            self._spans.append(self._positions[node])
            self._depth += isinstance(node, cst.FunctionDef)
        if isinstance(node, _STATEMENTS):
            self._lines.append(self._head(node))
        if isinstance(node, cst.IndentedBlock) and self._depth:
            self._bodies += 1
        for kind, operator in OPERATORS:
            if isinstance(node, kind):
                for number, mutated in enumerate(operator(node)):
                    # Of a text that is no pattern, one other text is enough: in other letters it says no more.
                    if not _is_prose(node, mutated) and not (number and _is_plain(node)):
                        self._keep(node, mutated)
        if isinstance(node, cst.Call):
            self._words.update(_words_of(node))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if _is_left_alone(original_node):
            return
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._depth -= isinstance(original_node, cst.FunctionDef)
            self._imports -= original_node.name.value == "__init_subclass__"
            self._spans.pop()
            if not self._depth:
                self._names.pop()
        if isinstance(original_node, _STATEMENTS):
            self._lines.pop()
        if isinstance(original_node, cst.IndentedBlock) and self._depth:
            self._bodies -= 1

    def _head(self, node: cst.CSTNode) -> tuple[int, int]:
        """Give the lines of a statement, of one with others below it those before them."""
        # A parameter's default is about the whole function.
        position = self._spans[-1] if isinstance(node, cst.Param) and self._spans else self._positions[node]
        body = getattr(node, "body", None)
        last = self._positions[body].start.line if isinstance(body, cst.IndentedBlock) else position.end.line
        return position.start.line, max(position.start.line, last - isinstance(body, cst.IndentedBlock))

    def _keep(self, node: cst.CSTNode, mutated: cst.CSTNode) -> None:
        within = ".".join(self._names)
        is_code = self._bodies > self._imports
        self.found.append(_Found(node=node, mutated=mutated, within=within, lines=self._lines[-1], is_code=is_code))


def _is_left_alone(node: cst.CSTNode) -> bool:
    """Tell whether nothing in it is changed: what is no verdict, or no code."""
    match node:
        case cst.Annotation() | cst.Decorator() | cst.Import() | cst.ImportFrom():
            return True
        case cst.FunctionDef(name=cst.Name("__repr__" | "__str__" | "described")):
            return True
        case cst.Arg(keyword=cst.Name(name)):
            return name in PROSE
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(name))]):
            return name in PROSE or name == "__all__"
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Tuple(elements=several))]):
            return all(isinstance(e.value, cst.Name) and e.value.value in PROSE for e in several)
        case cst.If(test=cst.Name("TYPE_CHECKING")):
            return True
        case _:
            return False


def _is_plain(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.SimpleString) and "r" not in node.prefix.lower()


def _words_of(call: cst.Call) -> list[cst.Arg]:
    """Give the positional arguments of a call that are words alone."""
    match call.func:
        case cst.Name(name) | cst.Attribute(attr=cst.Name(name)) if name in WORDS_FROM:
            return [arg for arg in call.args if arg.keyword is None][WORDS_FROM[name] :]
        case _:
            return []


def _is_prose(node: cst.CSTNode, mutated: cst.CSTNode) -> bool:
    """Tell whether two calls differ in the words of a message alone."""
    if not isinstance(node, cst.Call) or not isinstance(mutated, cst.Call) or node.func is not mutated.func:
        return False

    def said(call: cst.Call) -> list[str]:
        words = _words_of(call)
        return [_code(a) for a in call.args if a not in words and (a.keyword is None or a.keyword.value not in PROSE)]

    return said(node) == said(mutated)


def _code(arg: cst.Arg) -> str:
    return cst.Module([]).code_for_node(arg.with_changes(comma=cst.MaybeSentinel.DEFAULT)).strip()


class _Replaced(cst.CSTTransformer):
    """Puts one node in the place of another, which is looked for by identity."""

    def __init__(self, old: cst.CSTNode, new: cst.CSTNode) -> None:
        super().__init__()
        self._old = old
        self._new = new
        self._done = False

    def on_visit(self, node: cst.CSTNode) -> bool:
        return not self._done and node is not self._old

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        if original_node is self._old:
            self._done = True
            return self._new
        return updated_node
