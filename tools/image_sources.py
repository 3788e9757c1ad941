"""Which source files a wearable's image is made of: everything that boot.py and main.py reach by import.

Owns the names an image knows (`board`, `build`, `sos`, `drivers`, `protocol`) and where their sources lie. Must not
know compiling. What nobody imports stays out: an image carries no file that only hosts need, no other board, and no
part that its board has not (sos/parts.py imports those by name).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from edge_daemon.errors import Refusal

ROOT = Path(__file__).resolve().parent.parent
# Run by name on a wearable, so they stay text; everything they import is compiled.
SCRIPTS = ("boot.py", "main.py")
# Made by image.py, not read from a file.
GENERATED = "build"


def boards() -> list[str]:
    """The names `find` takes: every board file but the contract."""
    stems = {file.stem for file in (ROOT / "firmware/boards").glob("*.py")}
    return sorted(stems - {"contract", "__init__"})


def find(board: str) -> dict[str, Path]:
    """Every file of the image by its place in it ("sos/app.py", "board.py"), SCRIPTS included, GENERATED not.

    Raises Refusal for an unknown board, an import of ours that has no source, or a source that does not parse.
    """
    if board not in boards():
        raise Refusal("image.unknown_board", board=board, known=", ".join(boards()))
    found = {script: ROOT / "firmware" / script for script in SCRIPTS} | _parts(board)
    waiting = list(found)
    while waiting:
        place = waiting.pop()
        for module in _imports(place, found[place]):
            for name in _with_packages(module):
                source = _source(name, board)
                if source and source[0] not in found:
                    found[source[0]] = source[1]
                    waiting.append(source[0])
            _refuse_absent(module, board, found[place])
    return dict(sorted(found.items()))


def _parts(board: str) -> dict[str, Path]:
    """The parts that this board has, and their packages."""
    has = _has(ROOT / "firmware/boards" / f"{board}.py")
    found = {}
    for name, needs in _kinds():
        place = f"sos/{name}/part.py"
        if has.issuperset(needs) and (ROOT / "firmware" / place).is_file():
            found[place] = ROOT / "firmware" / place
            if (package := ROOT / f"firmware/sos/{name}/__init__.py").is_file():
                found[f"sos/{name}/__init__.py"] = package
    return found


def _kinds() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each part that there is, and what a board must have for it: KINDS of sos/no_parts.py, where there is one."""
    file = ROOT / "firmware/sos/no_parts.py"
    for node in _parsed(file).body if file.is_file() else []:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "KINDS":
            yield from ast.literal_eval(node.value)


def _has(file: Path) -> set[str]:
    """The `has_*` of a board file that are, or may be, true: one that is worked out at the start counts."""
    has = set()
    for node in ast.walk(_parsed(file)):
        if not isinstance(node, ast.Assign) or (isinstance(node.value, ast.Constant) and not node.value.value):
            continue
        for target in node.targets:
            for name in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(name, ast.Attribute | ast.Name):
                    has.add(name.attr if isinstance(name, ast.Attribute) else name.id)
    return has


def _parsed(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes(), filename=str(file))
    except (OSError, SyntaxError) as error:
        raise Refusal("image.unreadable_source", file=file.relative_to(ROOT), why=error) from error


def _locate(module: str, board: str) -> Path | None:
    """Where the source of `module` must lie without its ".py"; None when the name is the interpreter's."""
    top = module.partition(".")[0]
    path = module.replace(".", "/")
    if module == "board":
        return ROOT / "firmware/boards" / board
    if top == "protocol":
        return ROOT / path
    return ROOT / "firmware" / path if top in ("sos", "drivers", "boards") else None


def _source(module: str, board: str) -> tuple[str, Path] | None:
    base = _locate(module, board)
    if base is None:
        return None
    place = module.replace(".", "/")
    if base.with_suffix(".py").is_file():
        return f"{place}.py", base.with_suffix(".py")
    if (base / "__init__.py").is_file():
        return f"{place}/__init__.py", base / "__init__.py"
    return None


def _refuse_absent(module: str, board: str, importer: Path) -> None:
    base = _locate(module, board)
    # A folder without __init__.py is a package all the same; `from sos import name` may mean a name inside it.
    if base is None or base.is_dir() or _source(module, board) or _source(module.rpartition(".")[0], board):
        return
    raise Refusal("image.missing_module", module=module, file=importer.relative_to(ROOT))


def _with_packages(module: str) -> list[str]:
    """From "a.b.c": "a", "a.b", "a.b.c", for importing a module runs its packages first."""
    parts = module.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts))]


def _imports(place: str, file: Path) -> set[str]:
    """Absolute names of what `file`, lying at `place` in the image, may import; `from a import b` gives a and a.b."""
    tree = _parsed(file)
    package = PurePosixPath(place).parent.parts
    names: set[str] = set()
    for node in _run_time_nodes(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *(node.module.split(".") if node.module else [])])
            names |= {f"{base}.{alias.name}" for alias in node.names} | {base}
    return names


def _run_time_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those under `if TYPE_CHECKING:`, which no interpreter runs."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        yield from _run_time_nodes(node)
