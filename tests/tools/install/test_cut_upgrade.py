"""An upgrade or a change that is cut anywhere: the next run finishes it, and every alarm is still there.

Five points of each by seed; POINTS=20 for more. The process is killed; now and then the machine loses power with it.
"""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from . import trees
from .conftest import state, status, verdict
from .machine import Machine
from .test_upgrade import PRESS, as_service, current, presses

pytestmark = pytest.mark.timeout(3600)
CUT = Path(__file__).parent / "cut.py"
POINTS = int(os.environ.get("POINTS", "5"))


def upgrade(to: str) -> list[str]:
    return ["gateway", "upgrade", "--to", to, "--wheels", "/mnt/wheels", "--within", "60", "--json"]


def cut(machine: Machine, shared: Path, before: int, command: list[str]) -> int:
    if not (shared / "cut.py").exists():
        shutil.copy(CUT, shared / "cut.py")
    python = ["/opt/pingan/current/bin/python", "-P"]
    return machine.run(*python, "/mnt/cut.py", before, "power", "/mnt/count", *command, check=False).returncode


def chosen(shared: Path) -> list[int]:
    """Some of the changes that the run before has counted, by a seed that is printed."""
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    changes = int((shared / "count").read_text())
    points = random.Random(seed).sample(range(1, changes + 1), min(POINTS, changes))
    print(f"SEED={seed} points {points} of {changes}")
    return points


def test_an_upgrade_cut_anywhere_is_finished_by_the_next(gateway: Machine, shared: Path) -> None:
    if not (shared / "plain").exists():
        trees.make(shared / "plain", "0.2.0")
    gateway.run("systemctl", "stop", "pingan-gateway")
    as_service(gateway, PRESS)
    gateway.run("systemctl", "start", "pingan-gateway")
    assert cut(gateway, shared, 0, upgrade("/mnt/plain")) == 0
    # From here on both versions are there, and each upgrade is as long as the next.
    assert cut(gateway, shared, 0, upgrade("0.1.0")) == 0
    for number, point in enumerate(chosen(shared)):
        to = ("0.2.0", "0.1.0")[number % 2]
        assert cut(gateway, shared, point, upgrade(to)) == 137, point
        if number % 10 in (1, 2):
            gateway.stop()
            gateway.start()
            gateway.until(lambda: state(gateway) == "active")
        done = gateway.run("pingan", *upgrade(to), check=False)
        assert done.returncode == 0, f"{point}: {done.stdout}{done.stderr}"
        assert verdict(done.stdout)["state"] == "done"
        assert current(gateway).startswith(to), point
        now = status(gateway)
        assert now["version"] == to
        assert now["journal"]["open"] >= 25
        assert gateway.run("test", "-e", "/opt/pingan/upgrade.json", check=False).returncode == 1
    assert presses(gateway) == 25


def stopped_by(machine: Machine, shared: Path, name: str) -> None:
    """Begin an upgrade, and send it this signal when it has stopped the service."""
    told = shared / f"told-{name}"
    told.unlink(missing_ok=True)
    keep = ["--unit=upgrading", "--collect", "--quiet", f"--property=StandardOutput=append:/mnt/{told.name}"]
    machine.run("systemd-run", *keep, "/usr/local/bin/pingan", *upgrade("/mnt/plain"))
    machine.until(lambda: told.exists() and '"step": "stopped", "state": "done"' in told.read_text())
    machine.run("systemctl", "kill", f"--signal={name}", "upgrading")
    machine.until(lambda: machine.run("systemctl", "is-active", "upgrading", check=False).stdout.strip() != "active")


def test_a_gateway_does_not_stay_stopped_because_its_upgrade_was_killed(own_gateway: Machine, shared: Path) -> None:
    gateway = own_gateway
    if not (shared / "plain").exists():
        trees.make(shared / "plain", "0.2.0")
    stopped_by(gateway, shared, "KILL")
    assert state(gateway) != "active"
    # As long as somebody else is at it, it is left to them; and that systemd found it so is in nobody's way later.
    gateway.run("flock", "/opt/pingan/lock", "sleep", "35")
    assert state(gateway) != "active"
    # Nobody runs anything: systemd starts it, within half a minute.
    gateway.until(lambda: state(gateway) == "active")
    assert status(gateway)["version"] == "0.1.0"

    stopped_by(gateway, shared, "TERM")
    assert state(gateway) == "active"
    assert status(gateway)["version"] == "0.1.0"

    # A lost terminal is no reason to end.
    stopped_by(gateway, shared, "HUP")
    assert status(gateway)["version"] == "0.2.0"
    assert gateway.run("systemctl", "is-active", "pingan-upgrade-guard.timer", check=False).stdout.strip() != "active"
    assert gateway.run("test", "-e", "/opt/pingan/upgrade.json", check=False).returncode == 1


def test_a_change_of_the_configuration_cut_anywhere_is_taken_up_by_the_next_run(
    own_gateway: Machine, shared: Path
) -> None:
    gateway = own_gateway
    first = gateway.run("cat", "/etc/pingan/gateway.toml").stdout
    command = ["gateway", "install", "--config", "/mnt/changed.toml", "--json"]
    (shared / "changed.toml").write_text(first.replace("area-1", "area-new"))
    assert cut(gateway, shared, 0, command) == 0
    for number, point in enumerate(chosen(shared)):
        (shared / "changed.toml").write_text(first.replace("area-1", f"area-{number}"))
        assert cut(gateway, shared, point, command) == 137, point
        done = gateway.run("pingan", *command)
        assert verdict(done.stdout)["state"] == "done"
        assert status(gateway)["area"] == f"area-{number}", point
