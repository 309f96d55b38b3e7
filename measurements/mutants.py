"""Small faults for code: each mutant is one text with one place of a file changed."""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SWAPS: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Break: ast.Continue,
    ast.Continue: ast.Break,
}


@dataclass(frozen=True)
class Mutant:
    """One change: the text from `start` to `end` of a file, in bytes, becomes `new`."""

    path: str
    line: int
    start: int
    end: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} `{self.old}` -> `{self.new}`"

    def apply(self, root: Path) -> None:
        """Write the changed file."""
        text = (root / self.path).read_bytes()
        (root / self.path).write_bytes(text[: self.start] + self.new.encode() + text[self.end :])


def mutants(root: Path, path: str) -> list[Mutant]:
    """Return all mutants of a file below `root`, in the order of its text.

    Operators are swapped, numbers and texts changed, conditions turned round, keyword arguments
    left out, statements deleted. Docstrings, annotations, imports and what raises is left alone.
    """
    source = (root / path).read_bytes()
    lines = source.splitlines(keepends=True)
    starts = [sum(map(len, lines[:i])) for i in range(len(lines) + 1)]
    found = {}
    for node, new in _changes(ast.parse(source)):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        old = " ".join(source[start:end].decode().split())
        found[start, end, new] = Mutant(path, node.lineno, start, end, old, new)
    return [found[key] for key in sorted(found)]


def _changes(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Yield each statement or expression below `node` that can change, and its new text."""
    for child in _children(node):
        for changed in _changed(child):
            text = ast.unparse(ast.fix_missing_locations(changed))
            yield child, f"({text})" if isinstance(child, ast.expr) else text
        for test in _conditions(child):
            yield test, f"(not ({ast.unparse(test)}))"
        yield from _changes(child)


def _conditions(node: ast.AST) -> list[ast.expr]:
    """Return the tests of a branch, loop or comprehension that no other change turns round."""
    tests = getattr(node, "ifs", [])
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        tests = [node.test]
    return [test for test in tests if not isinstance(test, (ast.Compare, ast.UnaryOp))]


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is below a node, without what only people read."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.keyword):
                child = child.value
            if isinstance(child, ast.arguments):
                yield from _children(child)
            elif isinstance(
                child, (ast.stmt, ast.expr, ast.comprehension, ast.match_case)
            ) and not (
                isinstance(child, (ast.Import, ast.ImportFrom, ast.Raise, ast.JoinedStr))
                or (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant))
            ):
                yield child


def _changed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node's mutants."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, (int, float)):
            yield ast.Constant(node.value + 1)
        elif isinstance(node.value, str):
            yield ast.Constant(node.value + "XX")
    elif isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)) and type(node.op) in SWAPS:
        yield _with(node, op=SWAPS[type(node.op)]())
    elif isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            yield _with(node, ops=[*node.ops[:i], SWAPS[type(op)](), *node.ops[i + 1 :]])
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield node.operand
    elif isinstance(node, (ast.Break, ast.Continue)):
        yield SWAPS[type(node)]()
    elif isinstance(node, ast.Call):
        for i in range(len(node.keywords)):
            yield _with(node, keywords=[*node.keywords[:i], *node.keywords[i + 1 :]])
    if isinstance(node, (ast.Expr, ast.AugAssign)) or (
        isinstance(node, ast.Assign) and not isinstance(node.targets[0], (ast.Name, ast.Tuple))
    ):
        yield ast.Pass()


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed
