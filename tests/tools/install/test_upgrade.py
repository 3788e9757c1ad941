"""Another version in place of the one that runs, under a real systemd: it becomes well, or the old one runs again.

A journal with open alarms is there each time, and none of them may go.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from . import trees
from .conftest import rows, show, state, status, verdict
from .machine import Machine

pytestmark = pytest.mark.timeout(900)
MAIN = "edge_daemon/__main__.py"
SCHEMA = "edge_daemon/journal/schema.py"
_LAST_STEP = '''        offset_ms INTEGER
    ) STRICT;
    """,
)'''
_LOAD = "    settings = config.load(path)\n"
_SERVE = "    stopper = asyncio.create_task("


def _one_more(step: str) -> tuple[str, str]:
    return _LAST_STEP, f'{_LAST_STEP[:-1]}    "{step}",\n)'


# What each kind of new version does that the old one does not.
CRASHES = {MAIN: (_LOAD, "    raise SystemExit(3)\n")}
HANGS = {MAIN: (_LOAD, "    import time; time.sleep(3600)\n")}
BAD_STEP = {SCHEMA: _one_more("ALTER TABLE nowhere ADD COLUMN x TEXT")}
LOSES = {"edge_daemon/journal/disk.py": ("FROM events ORDER BY id", "FROM events WHERE kind < 1 ORDER BY id")}
MIGRATES = {SCHEMA: _one_more("ALTER TABLE events ADD COLUMN mood TEXT NOT NULL DEFAULT ''")}
# It is ready, stores an event of its own, and dies: a journal that the old version can't read holds news.
DIES = {**MIGRATES, MAIN: (_SERVE, f"    asyncio.get_running_loop().call_later(1.0, os._exit, 9)\n{_SERVE}")}

PRESS = """
import sqlite3
db = sqlite3.connect("/var/lib/pingan/journal.sqlite3")
for number in range(1, 26):
    db.execute(
        "INSERT OR IGNORE INTO events (wearable, number, kind, detail, age_ms, age_resolution_ms, age_at_least,"
        " battery_percent, link, boot_id, heard_ms, heard_wall_ms, about, note, stage, reason, urgency)"
        " VALUES ('f0f8871521dda5de', ?, 1, 0, 0, 1, 0, 80, 'ble', 'b', 1, 1, '', '', 1, 0, 0)",
        (number,),
    )
db.commit()
"""


def as_service(machine: Machine, script: str) -> str:
    """Run Python as the service's user."""
    user = ["setpriv", "--reuid=pingan", "--regid=pingan", "--clear-groups"]
    return machine.run(*user, "/opt/pingan/current/bin/python", "-P", "-", given=script).stdout


@pytest.fixture(scope="module", autouse=True)
def _pressed(gateway: Machine) -> None:
    """Twenty-five alarms wait in the journal for a platform that is away."""
    gateway.run("systemctl", "stop", "pingan-gateway")
    as_service(gateway, PRESS)
    gateway.run("systemctl", "start", "pingan-gateway")
    assert status(gateway)["journal"]["open"] >= 25


def presses(machine: Machine) -> int:
    """How many of the twenty-five the running gateway's journal file holds, waiting still."""
    machine.run("systemctl", "stop", "pingan-gateway")
    count = "import sqlite3; print(*sqlite3.connect('/var/lib/pingan/journal.sqlite3').execute("
    count += "\"SELECT count(*) FROM events WHERE wearable = 'f0f8871521dda5de' AND stage = 1\").fetchone())"
    found = int(as_service(machine, count))
    machine.run("systemctl", "start", "pingan-gateway")
    return found


def upgrade(machine: Machine, shared: Path, name: str, number: str, within: float, changes: trees.Changes) -> Any:
    if not (shared / name).exists():
        trees.make(shared / name, number, changes)
    command = ["pingan", "gateway", "upgrade", "--to", f"/mnt/{name}", "--wheels", "/mnt/wheels"]
    return machine.run(*command, "--within", within, "--json", check=False)


def current(machine: Machine) -> str:
    return machine.run("readlink", "/opt/pingan/current").stdout.strip().rpartition("/")[2]


def assert_old_runs(machine: Machine, done: Any, before: dict[str, Any]) -> None:
    """The old version runs again, knows what it knew, and it was said."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert verdict(done.stdout)["state"] == "failed"
    assert verdict(done.stdout)["reason"] == "upgrade.taken_back", done.stdout
    assert current(machine).startswith("0.1.0-")
    assert state(machine) == "active"
    now = status(machine)
    assert now["version"] == "0.1.0"
    assert now["journal"]["trouble"] is None
    assert now["journal"]["open"] >= before["journal"]["open"]
    assert now["journal"]["events"] >= before["journal"]["events"]
    assert show(machine, "NRestarts") == "0"
    assert presses(machine) == 25
    assert machine.run("test", "-e", "/opt/pingan/upgrade.json", check=False).returncode == 1


@pytest.mark.parametrize(
    ("name", "changes", "wrong"),
    [
        ("crashes", CRASHES, "install.fell"),
        ("hangs", HANGS, "install.not_ready"),
        ("bad_step", BAD_STEP, "install.command_failed"),
        ("loses", LOSES, "upgrade.counts"),
    ],
)
def test_a_version_that_is_not_well_is_taken_back(
    gateway: Machine, shared: Path, name: str, changes: trees.Changes, wrong: str
) -> None:
    before = status(gateway)
    done = upgrade(gateway, shared, name, "0.2.0", 20, changes)
    assert_old_runs(gateway, done, before)
    assert [row["reason"] for row in rows(done.stdout) if row["step"] == "wrong"] == [wrong]


def test_what_was_stored_by_a_version_that_dies_is_carried_over_to_the_old_ones_journal(
    gateway: Machine, shared: Path
) -> None:
    before = status(gateway)
    done = upgrade(gateway, shared, "dies", "0.2.0", 20, DIES)
    assert_old_runs(gateway, done, before)
    assert verdict(done.stdout)["carried"] >= 1
    # The new version said that it had been restarted; the old one still knows, and tells the platform.
    gateway.run("systemctl", "stop", "pingan-gateway")
    notes = "import sqlite3; print(sqlite3.connect('/var/lib/pingan/journal.sqlite3').execute("
    notes += "\"SELECT count(*) FROM events WHERE note = '0.2.0'\").fetchone()[0])"
    assert int(as_service(gateway, notes)) >= 1
    gateway.run("systemctl", "start", "pingan-gateway")
    assert gateway.run("sh", "-c", "ls /var/lib/pingan/upgrade/journal-of-0.2.0-*.sqlite3").stdout
    listed = gateway.run("find", "/var/lib/pingan", "-not", "-user", "pingan").stdout
    assert listed == ""


def test_a_version_that_is_well_stays_with_every_alarm_and_the_old_one_is_kept(gateway: Machine, shared: Path) -> None:
    before, old = status(gateway), current(gateway)
    done = upgrade(gateway, shared, "well", "0.2.0", 60, MIGRATES)
    assert done.returncode == 0, done.stdout + done.stderr
    assert verdict(done.stdout)["reason"] == "upgrade.upgraded"
    now = status(gateway)
    assert now["version"] == "0.2.0"
    assert now["journal"]["open"] >= before["journal"]["open"]
    assert presses(gateway) == 25
    kept = set(gateway.run("ls", "/opt/pingan/versions").stdout.split())
    assert kept == {old, current(gateway)}

    # The old one cannot read the new tables; to go back means to go back to the journal it could read.
    again = upgrade(gateway, shared, "well", "0.2.0", 60, MIGRATES)
    assert verdict(again.stdout)["reason"] == "upgrade.unchanged"
    back = gateway.run("pingan", "gateway", "upgrade", "--to", "0.1.0", "--json", check=False)
    assert back.returncode == 1
    assert "journal.too_new" in back.stdout
    assert status(gateway)["version"] == "0.2.0"
    assert json.loads(back.stdout.splitlines()[-1])["reason"] == "upgrade.taken_back"
    assert re.search(r"0\.2\.0", current(gateway))
