"""What a version is: its name, its files, its packages; and that each word these commands say is in the catalogue."""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path

import pytest

from edge_daemon.errors import Refusal
from tools.install import source
from tools.install.program import _REQUIREMENT
from tools.messages import catalogue

from . import trees

ROOT = source.own().tree


def _pins(text: str) -> dict[str, str]:
    """Name -> version with its marker and hashes; who asked for it is left out."""
    found = {}
    for whole, name in _REQUIREMENT.findall(text):
        found[name] = [line.strip(" \\") for line in whole.splitlines() if not line.lstrip().startswith("#")]
    return {name: " ".join(lines) for name, lines in found.items()}


def test_what_is_installed_is_what_was_tested() -> None:
    gateway, tested = (_pins((ROOT / name).read_text()) for name in (source.LOCK, "requirements.lock"))
    assert len(gateway) > 40
    assert gateway.items() <= tested.items()
    wanted = re.findall(
        r'^  "([a-z-]+)', (ROOT / "pyproject.toml").read_text().split("[project.scripts]")[0], re.MULTILINE
    )
    assert set(wanted) <= set(gateway)


def test_the_same_files_are_the_same_version_and_a_changed_one_is_another(tmp_path: Path) -> None:
    one, two = (source.Source(trees.tiny(tmp_path / name)) for name in ("one", "two"))
    assert one.version == two.version
    assert re.fullmatch(r"0\.1\.0-[0-9a-f]{10}", one.version)
    (tmp_path / "two/edge_daemon/more.py").write_text("")
    assert source.Source(tmp_path / "two").version != one.version
    (tmp_path / "one/edge_daemon/__pycache__").mkdir()
    (tmp_path / "one/edge_daemon/__pycache__/x.pyc").write_text("")
    assert source.Source(tmp_path / "one").version == one.version


def test_an_archive_is_the_tree_that_it_was_made_of(tmp_path: Path) -> None:
    tree = trees.tiny(tmp_path / "tree")
    with tarfile.open(tmp_path / "release.tar.gz", "w:gz") as archive:
        archive.add(tree, "pingan-0.1.0")
    with source.opened(tmp_path / "release.tar.gz") as opened:
        assert opened.version == source.Source(tree).version
    assert not opened.tree.exists()


@pytest.mark.parametrize("kind", ["outside", "link", "noise", "empty"])
def test_an_archive_that_reaches_out_or_is_none_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "release.tar"
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("../outside" if kind == "outside" else "edge_daemon/x")
        if kind == "link":
            entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        if kind in ("outside", "link"):
            archive.addfile(entry, io.BytesIO())
    if kind == "noise":
        path.write_bytes(b"noise")
    with pytest.raises(Refusal), source.opened(path) as opened:
        assert opened.version
    assert not (tmp_path / "outside").exists()


def test_each_word_these_commands_say_is_in_the_catalogue() -> None:
    files = list((ROOT / "tools/install").glob("*.py"))
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    said = set(re.findall(r'"((?:install|upgrade|uninstall)\.(?!json|sh)[a-z_.]+)"', text))
    said |= {f"install.act.{key}" for key in re.findall(r'\bact\("(\w+)"', text)}
    steps = re.findall(r'\bStep\(\s*"(\w+)"', text)
    assert len(steps) > 9
    said |= {f"install.step.{name}" for name in steps if name != "switched"}
    said |= {f"uninstall.step.{name}" for name in steps if name not in ("switched", "packages", "tidied")}
    said -= {f"uninstall.step.{name}" for name in ("configuration", "certificate")}
    told = {*re.findall(r'_Step\((?:self\.)?_?teller, "(\w+)"\)', text), "wrong", "packages", "program"}
    said |= {f"upgrade.step.{name}" for name in told}
    assert sorted(said - set(catalogue())) == []
