"""Type-checks firmware/ against MicroPython's library for the ESP32. Owns where the stubs lie and how mypy is told.

Must not know what the firmware does. The stubs are installed among CPython's packages, where mypy looks for none of
them; put on its path there they would stand before CPython's own library for every folder. So they are copied apart,
once per version, below the environment they came with. `python -m tools.firmware_types [mypy's arguments]`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_DISTRIBUTIONS = ("micropython-esp32-stubs", "micropython-stdlib-stubs")
_WITHIN_S = 600
# Modules that an image or the simulator's interpreter has and the stubs lack.
_OURS = {
    "build.pyi": "RELEASE: bool\nBOARD: str\nFINGERPRINT: str\n",
    "board.pyi": "from boards.contract import Board as Board\n",
    "termios.pyi": "TCSANOW: int\ndef setraw(fd: object) -> None: ...\n",
}


def typings() -> Path:
    """The folder with the stubs and nothing else, made now if it is not there yet. Raises PackageNotFoundError."""
    versions = "-".join(metadata.version(name) for name in _DISTRIBUTIONS)
    place = Path(sys.prefix) / f"micropython-typings-{versions}"
    if not place.exists():
        with tempfile.TemporaryDirectory(dir=sys.prefix) as temporary:
            fresh = Path(temporary) / "typings"
            for name in _DISTRIBUTIONS:
                _copy(metadata.distribution(name), fresh)
            fresh.rename(place)
    for name, text in _OURS.items():
        (place / name).write_text(text)
    return place


def _copy(distribution: metadata.Distribution, target: Path) -> None:
    for file in distribution.files or []:
        if file.suffix == ".pyi" or file.name == "VERSIONS":
            place = target / file
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), place)


def main(arguments: list[str]) -> int:
    """Run mypy; its exit code."""
    stubs = typings()
    command = [sys.executable, "-m", "mypy", "--config-file", "firmware/mypy.ini"]
    command += ["--custom-typeshed-dir", str(stubs), "--cache-dir", ".mypy_cache/firmware", *arguments]
    environment = {**os.environ, "MYPYPATH": f"{stubs}:{ROOT / 'firmware'}:{ROOT}"}
    return subprocess.run(command, cwd=ROOT, env=environment, timeout=_WITHIN_S, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
