"""A machine on which a gateway has been installed once, by the one command; each test gets a copy of it, booted."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import load_pem_x509_certificate

from hil_tests import cache
from tests.edge_daemon.certificates import Authority

from . import trees
from .machine import Machine, NoMachine

GATEWAY = "gw-7"
PASSPHRASE = b"test_only passphrase"


def make_pkcs12(directory: Path, name: str = GATEWAY, passphrase: bytes | None = PASSPHRASE, days: float = 1) -> Path:
    """A gateway's bundle, as an authority hands it out."""
    authority = Authority(directory, "gateways")
    certificate, key = authority.issue(name, common_name=name, days=days)
    sealed = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    bundle = directory / f"test_only_{name}.p12"
    bundle.touch(mode=0o600)
    bundle.write_bytes(
        pkcs12.serialize_key_and_certificates(
            name.encode(),
            private,  # type: ignore[arg-type]
            load_pem_x509_certificate(certificate.read_bytes()),
            [load_pem_x509_certificate(authority.file.read_bytes())],
            sealed,
        )
    )
    return bundle


def rows(said: str) -> list[dict[str, Any]]:
    """What a command told with --json."""
    return [json.loads(line) for line in said.splitlines()]


def verdict(said: str) -> dict[str, Any]:
    last = rows(said)[-1]
    assert last["step"] == "all"
    return last


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """/mnt of every machine: trees, wheels, answers and a bundle. One for all workers; `ground` is made beside it."""
    base = tmp_path_factory.getbasetemp()
    # Workers have a directory each, in one that is theirs together.
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "pingan-install"
    place.mkdir(exist_ok=True)
    with cache.lock(place):
        if not (place / "complete").exists():
            shared = place / "shared"
            shutil.rmtree(shared, ignore_errors=True)
            shared.mkdir()
            shutil.copytree(trees.wheels(), shared / "wheels")
            trees.make(shared / "old")
            (shared / "answers.toml").write_text(f'id = "{GATEWAY}"\nbroker = "localhost"\n')
            make_pkcs12(shared)
            (shared / "test_only_passphrase").touch(mode=0o600)
            (shared / "test_only_passphrase").write_bytes(PASSPHRASE + b"\n")
            (place / "complete").touch()
    yield place / "shared"
    (place / "shared/said.json").unlink(missing_ok=True)


INSTALL = [
    "/mnt/old/tools/install/install.sh", "--answers", "/mnt/answers.toml", "--bundle", f"/mnt/test_only_{GATEWAY}.p12",
    "--passphrase-file", "/mnt/test_only_passphrase", "--wheels", "/mnt/wheels", "--json",
]  # fmt: skip


@pytest.fixture(scope="session")
def ground(shared: Path) -> Path:
    """A stopped machine that was bare and got a gateway by one command; `said` beside it is what that said."""
    place = shared.parent / "ground"
    with cache.lock(shared.parent):
        if (place / "why").exists():
            pytest.skip((place / "why").read_text())
        if not (place / "complete").exists():
            shutil.rmtree(place, ignore_errors=True)
            machine = Machine(place, shared)
            try:
                machine.start()
            except NoMachine as error:
                place.mkdir(exist_ok=True)
                (place / "why").write_text(f"no machine with a systemd of its own: {error}")
                pytest.skip(f"no machine with a systemd of its own: {error}")
            try:
                done = machine.run(*INSTALL, check=False)
                (place / "said").write_text(done.stdout)
                assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
            finally:
                machine.stop()
            (place / "complete").touch()
    return place


@contextlib.contextmanager
def booted(place: Path, shared: Path, ground: Path) -> Iterator[Machine]:
    """A machine that has booted with its gateway, which runs."""
    machine = Machine(place, shared, ground)
    try:
        machine.start()
        machine.until(lambda: state(machine) == "active")
        yield machine
    finally:
        machine.stop()
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
def gateway(ground: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One for the tests of a file, each of which leaves it with the first version running."""
    with booted(tmp_path_factory.mktemp("gateway") / "machine", shared, ground) as machine:
        yield machine


@pytest.fixture
def own_gateway(ground: Path, shared: Path, tmp_path: Path) -> Iterator[Machine]:
    """One for this test alone."""
    with booted(tmp_path / "machine", shared, ground) as machine:
        yield machine


def state(machine: Machine) -> str:
    return machine.run("systemctl", "is-active", "pingan-gateway", check=False).stdout.strip()


def show(machine: Machine, name: str) -> str:
    return machine.run("systemctl", "show", "pingan-gateway", f"--property={name}", "--value").stdout.strip()


def status(machine: Machine) -> dict[str, Any]:
    """The gateway's own words, by its control socket."""
    ask = "from pathlib import Path; from tools.control import client; import json; "
    ask += "print(json.dumps(client.ask(Path('/run/pingan/control.sock'), {'ask': 'status'})))"
    said = machine.run("/opt/pingan/current/bin/python", "-P", "-c", ask).stdout
    answer: dict[str, Any] = json.loads(said)
    return answer
