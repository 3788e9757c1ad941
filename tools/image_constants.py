"""Private whole numbers of a module become the compiler's constants: on a wearable they then cost no memory.

Owns which lines these are. Must not know images nor the compiler. MicroPython puts the value of a `_NAME = const(…)`
where the name is used and keeps neither name nor value; CPython, which runs the same sources in tests, has no const().
A module of ours never reads another's private names (tests/tools/test_image_constants.py holds the sources to it).
"""

from __future__ import annotations

import ast
import re

_PRIVATE = re.compile(r"_[A-Z][A-Z0-9_]*")
_WORKED_OUT = (ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)


def folded(text: str) -> str:
    """The source with its private constants said to be so, line by line the same. Raises SyntaxError."""
    tree = ast.parse(text)
    lines = text.splitlines(keepends=True)
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and _is_ours(node.targets[0], tree):
            value = node.value
            if _is_whole_number(value) and value.lineno == value.end_lineno:
                # In ASCII only, as all of these lines are, a column is a byte.
                line = lines[value.lineno - 1]
                number = line[value.col_offset : value.end_col_offset]
                lines[value.lineno - 1] = line.replace(f"= {number}", f"= const({number})", 1)
    return "".join(lines)


def _is_ours(target: ast.expr, tree: ast.Module) -> bool:
    """A private name in capitals that is given its value once, in the whole module, and before it is read anywhere.

    The compiler goes by lines: above that line it would look for a name that nothing keeps.
    """
    if not isinstance(target, ast.Name) or not _PRIVATE.fullmatch(target.id):
        return False
    named = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == target.id]
    given = [node for node in named if isinstance(node.ctx, ast.Store)]
    return len(given) == 1 and all(node.lineno > target.lineno for node in named if node is not target)


def _is_whole_number(value: ast.expr) -> bool:
    nodes = [node for node in ast.walk(value) if not isinstance(node, _WORKED_OUT)]
    numbers = [node.value for node in ast.walk(value) if isinstance(node, ast.Constant)]
    return not nodes and all(type(number) is int for number in numbers)
