"""A Debian as its own installer leaves it, and nothing else, becomes a gateway: every package, from the index.

    BARE=bookworm,trixie pytest tests/tools/install/test_bare.py

Takes minutes and some 500 MB, hence only when asked for. Needs root, debootstrap and the mirrors.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hil_tests import debian
from tools.install import source

from . import trees
from .conftest import GATEWAY, INSTALL, PASSPHRASE, make_pkcs12, show, state, verdict
from .machine import Machine

RELEASES = [name for name in os.environ.get("BARE", "").split(",") if name]
pytestmark = [
    pytest.mark.skipif(not RELEASES, reason="asked for by BARE=bookworm,trixie: takes minutes and 500 MB"),
    pytest.mark.timeout(3600),
]


def _debian(place: Path, release: str) -> None:
    """The least that boots; how to reach mirrors and index as this machine does."""
    uri = debian.find_archive().uri
    subprocess.run(
        ["debootstrap", "--variant=minbase", "--include=systemd-sysv,dbus", release, place, uri],
        check=True, capture_output=True, timeout=1800,
    )  # fmt: skip
    for name in ("etc/pip.conf", "etc/resolv.conf", "etc/hosts", "etc/ssl/certs/ca-certificates.crt"):
        if (Path("/") / name).exists():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path("/") / name, place / name)
    # Authorities of this place's own, which installing ca-certificates takes up.
    for name in ("etc/apt/auth.conf.d", "etc/apt/apt.conf.d", "usr/local/share/ca-certificates"):
        if (Path("/") / name).is_dir():
            shutil.copytree(Path("/") / name, place / name, dirs_exist_ok=True)


@pytest.mark.parametrize("release", RELEASES or ["bookworm"])
def test_a_bare_debian_becomes_a_gateway_by_one_command(tmp_path: Path, release: str) -> None:
    lower, shared = tmp_path / "debian", tmp_path / "shared"
    shared.mkdir()
    _debian(lower, release)
    trees.make(shared / "old", lock=(source.own().tree / source.LOCK).read_text())
    (shared / "answers.toml").write_text(f'id = "{GATEWAY}"\nbroker = "localhost"\n')
    make_pkcs12(shared)
    (shared / "test_only_passphrase").touch(mode=0o600)
    (shared / "test_only_passphrase").write_bytes(PASSPHRASE)
    machine = Machine(tmp_path / "machine", shared, lower=lower)
    machine.start()
    try:
        assert machine.run("sh", "-c", "command -v python3", check=False).returncode != 0
        through = [
            f"{name}={value}" for name, value in os.environ.items() if name.startswith("PIP_") or "_CERT" in name
        ]
        command = [argument for argument in INSTALL if argument not in ("--wheels", "/mnt/wheels")]
        done = machine.run("env", *through, *command, check=False, within_s=3000)
        print(done.stdout, done.stderr)
        assert done.returncode == 0, done.stdout + done.stderr
        assert verdict(done.stdout)["reason"] == "install.installed"
        assert state(machine) == "active"
        assert show(machine, "NRestarts") == "0"
        again = machine.run("pingan", "gateway", "install", "--json")
        assert verdict(again.stdout)["reason"] == "install.unchanged"
        machine.stop()
        machine.start()
        machine.until(lambda: state(machine) == "active")
        machine.run("pingan", "flash", "--help")
    finally:
        machine.stop()
        shutil.rmtree(lower, ignore_errors=True)
