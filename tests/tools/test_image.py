"""Staging an image: what goes in, that it is the same every time, that it runs, and what is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edge_daemon.errors import Refusal
from hil_tests import micropython
from tools import image, image_sources

BOARDS = image_sources.boards()


def contents(directory: Path) -> dict[str, bytes]:
    return {p.relative_to(directory).as_posix(): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


@pytest.fixture
def source_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project of our own to stage from, in place of the real one."""
    root = tmp_path / "project"
    files = {
        "firmware/boot.py": "import micropython\n",
        "firmware/main.py": "import board\nfrom sos import app\napp.run(board)\n",
        "firmware/sos/__init__.py": "",
        "firmware/sos/app.py": "from . import used\nfrom .deep.inner import x\ndef run(b):\n    import protocol.wire\n",
        "firmware/sos/used.py": "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from sos.unused import X\n",
        "firmware/sos/unused.py": "X = 1\n",
        "firmware/sos/deep/inner.py": "x = 2\n",
        "firmware/drivers/lamp.py": "def on():\n    return 1\n",
        "firmware/drivers/other.py": "",
        "firmware/boards/contract.py": "",
        "firmware/boards/one.py": "from drivers.lamp import on\n",
        "firmware/boards/two.py": "import machine\n",
        "protocol/__init__.py": "",
        "protocol/wire.py": "SIZE = 3\n",
        "protocol/hosts_only.py": "import typing\n",
    }
    for place, text in files.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(text)
    monkeypatch.setattr(image_sources, "ROOT", root)
    return root


def test_a_part_goes_into_the_images_of_boards_that_have_it(source_tree: Path) -> None:
    """What a board works out at its start it may have; what is said to be absent, or not said, it has not."""
    kinds = 'KINDS = (("map", ("has_gnss", "has_touch")), ("late", ("has_gnss",)))\n'
    for place, text in {
        "firmware/sos/no_parts.py": kinds,
        "firmware/sos/map/__init__.py": "",
        "firmware/sos/map/part.py": "from . import paper\n",
        "firmware/sos/map/paper.py": "",
        "firmware/boards/two.py": "class Board:\n    has_gnss = True\n    has_touch = False\n",
        "firmware/boards/three.py": "class Board:\n    def ask(self):\n        self.has_gnss, self.has_touch = x()\n",
    }.items():
        (source_tree / place).parent.mkdir(parents=True, exist_ok=True)
        (source_tree / place).write_text(text)
    parts = {"sos/map/__init__.py", "sos/map/part.py", "sos/map/paper.py"}
    assert parts <= image_sources.find("three").keys()
    assert parts.isdisjoint(image_sources.find("two")) and parts.isdisjoint(image_sources.find("one"))


@pytest.mark.usefixtures("source_tree")
def test_only_what_is_reached_by_import_goes_in(tmp_path: Path) -> None:
    staged = image.stage("one", tmp_path / "image")
    assert sorted(staged.sizes) == [
        "board.mpy",
        "boot.py",
        "build.mpy",
        "drivers/lamp.mpy",
        "main.py",
        "protocol/__init__.mpy",
        "protocol/wire.mpy",
        "sos/__init__.mpy",
        "sos/app.mpy",
        "sos/deep/inner.mpy",
        "sos/used.mpy",
    ]
    assert staged.sizes == {place: len(data) for place, data in contents(staged.directory).items()}
    assert staged.total == sum(staged.sizes.values())


@pytest.mark.usefixtures("source_tree")
def test_another_board_brings_its_own_drivers(tmp_path: Path) -> None:
    assert "drivers/lamp.mpy" not in image.stage("two", tmp_path / "image").sizes


@pytest.mark.parametrize("board", BOARDS)
def test_the_same_sources_give_the_same_bytes(board: str, tmp_path: Path) -> None:
    first = image.stage(board, tmp_path / "first")
    second = image.stage(board, tmp_path / "deeper/second")
    assert contents(first.directory) == contents(second.directory)
    assert first.fingerprint == second.fingerprint == image.fingerprint(board)


def test_a_release_differs_in_its_switch_and_its_fingerprint_only(tmp_path: Path) -> None:
    development = image.stage("simulator", tmp_path / "development")
    release = image.stage("simulator", tmp_path / "release", release=True)
    assert development.fingerprint != release.fingerprint
    ours, theirs = contents(development.directory), contents(release.directory)
    assert {place for place in ours if ours[place] != theirs[place]} == {"build.mpy"}


@pytest.mark.parametrize("release", [False, True])
def test_the_switch_is_what_the_interpreter_reads(release: bool, tmp_path: Path) -> None:
    staged = image.stage("simulator", tmp_path / "image", release=release)
    script = "from build import RELEASE, BOARD, FINGERPRINT; print(RELEASE, BOARD, FINGERPRINT)"
    environment = {"MICROPYPATH": f".frozen:{staged.directory}"}
    said = subprocess.run(
        [micropython.binary(), "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=30
    ).stdout
    assert said.split() == [str(release), "simulator", staged.fingerprint]


@pytest.mark.parametrize("board", BOARDS)
def test_every_compiled_file_of_an_image_loads_on_the_interpreter(board: str, tmp_path: Path) -> None:
    """All but the board and its drivers, which want hardware (tests/firmware runs those over a fake chip)."""
    staged = image.stage(board, tmp_path / "image")
    names = [place.removesuffix(".mpy").removesuffix("/__init__").replace("/", ".") for place in staged.sizes]
    names = [name for name in names if name.split(".")[0] in ("sos", "protocol", "build")]
    assert len(names) > 20
    environment = {"MICROPYPATH": f".frozen:{staged.directory}"}
    command = [micropython.binary(), "-c", "\n".join(f"import {name}" for name in names)]
    subprocess.run(command, env=environment, check=True, timeout=30)


@pytest.mark.usefixtures("source_tree")
def test_staging_again_compiles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = image.stage("one", tmp_path / "image")

    def compile_nothing(*_: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(image, "_compile", compile_nothing)
    assert image.stage("one", tmp_path / "image") == first


def test_a_changed_source_or_a_damaged_image_is_staged_anew(source_tree: Path, tmp_path: Path) -> None:
    first = image.stage("one", tmp_path / "image")
    good = contents(first.directory)
    (first.directory / "board.mpy").write_bytes(b"damaged")
    (first.directory / "left_over.py").write_text("")
    assert contents(image.stage("one", tmp_path / "image").directory) == good
    (source_tree / "protocol/wire.py").write_text("SIZE = 4\n")
    second = image.stage("one", tmp_path / "image")
    assert second.fingerprint != first.fingerprint
    assert contents(second.directory)["protocol/wire.mpy"] != good["protocol/wire.mpy"]


def test_a_file_nobody_imports_changes_no_fingerprint(source_tree: Path) -> None:
    before = image.fingerprint("one")
    (source_tree / "protocol/hosts_only.py").write_text("import dataclasses\n")
    assert image.fingerprint("one") == before


@pytest.mark.usefixtures("source_tree")
def test_a_directory_that_is_no_image_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    (target / "letter.txt").write_text("dear")
    with pytest.raises(Refusal, match="not_an_image"):
        image.stage("one", target)
    assert (target / "letter.txt").read_text() == "dear"


@pytest.mark.usefixtures("source_tree")
def test_an_unknown_board_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        image.stage("three", tmp_path / "image")
    assert refused.value.key == "image.unknown_board"
    assert refused.value.params == {"board": "three", "known": "one, two"}


def test_a_source_that_does_not_compile_is_refused_by_name(source_tree: Path, tmp_path: Path) -> None:
    # Python, but not MicroPython.
    (source_tree / "firmware/sos/used.py").write_text("match 1:\n    case 1:\n        pass\n")
    with pytest.raises(Refusal, match="SyntaxError") as refused:
        image.stage("one", tmp_path / "image")
    assert refused.value.params["file"] == "sos/used.py"
    assert not (tmp_path / "image").exists()


def test_an_import_without_a_source_is_refused(source_tree: Path, tmp_path: Path) -> None:
    (source_tree / "firmware/sos/used.py").write_text("from drivers.lost import on\n")
    with pytest.raises(Refusal, match=r"drivers\.lost") as refused:
        image.stage("one", tmp_path / "image")
    assert refused.value.key == "image.missing_module"


def test_an_import_from_a_folder_without_a_source_is_refused(source_tree: Path, tmp_path: Path) -> None:
    (source_tree / "firmware/sos/used.py").write_text("from drivers import lost\n")
    with pytest.raises(Refusal, match=r"drivers\.lost"):
        image.stage("one", tmp_path / "image")


def test_check_compiles_every_file_of_both_folders() -> None:
    files = [file for top in ("protocol", "firmware") for file in (image_sources.ROOT / top).rglob("*.py")]
    assert image.check() == len(files)


def test_check_finds_the_file_that_nobody_imports(source_tree: Path) -> None:
    (source_tree / "firmware/drivers/other.py").write_text("def f(a, /):\n    pass\n")
    with pytest.raises(Refusal) as refused:
        image.check()
    assert refused.value.params["file"] == "firmware/drivers/other.py"


def test_the_command_tells_sizes_and_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert image.main(["simulator", str(tmp_path / "image")]) == 0
    assert "main.py" in capsys.readouterr().out
    assert image.main(["nothing", str(tmp_path / "other")]) == 1
    assert "nothing" in capsys.readouterr().err
