"""A bare machine, one command, a running service: under a real systemd, with the daemon's real process."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import GATEWAY, INSTALL, PASSPHRASE, rows, show, state, status, verdict
from .machine import Machine

pytestmark = pytest.mark.timeout(900)


def test_one_command_makes_a_bare_machine_a_gateway_that_comes_up_with_it(gateway: Machine, ground: Path) -> None:
    said = (ground / "said").read_text()
    assert verdict(said)["state"] == "done"
    assert {row["step"] for row in rows(said) if row["state"] == "done"} >= {"system", "account", "enabled", "started"}
    now = status(gateway)
    assert now["gateway"] == GATEWAY
    assert now["pid"] == int(show(gateway, "MainPID"))
    assert now["journal"]["trouble"] is None
    assert show(gateway, "NRestarts") == "0"
    user = gateway.run("ps", "-o", "user=", "-p", show(gateway, "MainPID")).stdout.strip()
    assert user == "pingan"


def test_each_file_is_the_services_alone_and_no_secret_is_told(gateway: Machine, ground: Path) -> None:
    listed = gateway.run("find", "/etc/pingan", "/var/lib/pingan", "/run/pingan", "-printf", "%m %u %y %p\\n").stdout
    for line in listed.splitlines():
        mode, user, kind, path = line.split(" ", 3)
        assert user == "pingan", line
        assert mode == ("700" if kind == "d" else "600"), line
        assert kind in "dfs", path
    said = (ground / "said").read_text()
    assert "PRIVATE" not in said
    assert PASSPHRASE.decode() not in said
    logged = gateway.run("journalctl", "--no-pager", "-o", "cat").stdout
    assert "PRIVATE" not in logged


def test_a_second_run_changes_nothing_and_says_so(gateway: Machine) -> None:
    before = show(gateway, "MainPID"), gateway.run("find", "/opt", "/etc", "-newer", "/run/pingan").stdout
    again = gateway.run(*INSTALL)
    assert verdict(again.stdout)["reason"] == "install.unchanged"
    assert {row["state"] for row in rows(again.stdout)} == {"skipped", "done"}
    assert [row["step"] for row in rows(again.stdout) if row["state"] == "done"] == ["all"]
    after = show(gateway, "MainPID"), gateway.run("find", "/opt", "/etc", "-newer", "/run/pingan").stdout
    assert after[0] == before[0]
    assert set(after[1].splitlines()) - set(before[1].splitlines()) <= {"/opt/pingan/lock"}


def test_a_changed_configuration_is_taken_up_and_the_old_one_kept(gateway: Machine, shared: Path) -> None:
    old = gateway.run("cat", "/etc/pingan/gateway.toml").stdout
    (shared / "changed.toml").write_text(old.replace("area-1", "area-2"))
    before = show(gateway, "MainPID")
    done = gateway.run("pingan", "gateway", "install", "--config", "/mnt/changed.toml", "--json")
    assert verdict(done.stdout)["state"] == "done"
    assert status(gateway)["area"] == "area-2"
    assert show(gateway, "MainPID") != before
    assert gateway.run("cat", "/etc/pingan/gateway.toml.before").stdout == old


def test_who_is_not_root_is_told_what_to_do(gateway: Machine) -> None:
    plain = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    for command in ("install", "upgrade", "uninstall"):
        done = gateway.run(*plain, "pingan", "--lang", "en", "gateway", command, check=False)
        assert done.returncode == 2
        assert done.stdout == ""
        assert "sudo" in done.stderr
    assert state(gateway) == "active"


def test_uninstall_keeps_journal_and_configuration_and_purge_does_not(own_gateway: Machine) -> None:
    gateway = own_gateway
    events = status(gateway)["journal"]["events"]
    told = gateway.run("pingan", "gateway", "uninstall", "--dry-run", "--json")
    assert state(gateway) == "active"
    done = gateway.run("pingan", "gateway", "uninstall", "--json")
    assert verdict(done.stdout)["reason"] == "uninstall.removed"
    assert {row["step"] for row in rows(told.stdout)} >= {row["step"] for row in rows(done.stdout)} - {"told"}
    assert state(gateway) != "active"
    for gone in ("/opt/pingan", "/usr/local/bin/pingan", "/etc/systemd/system/pingan-gateway.service"):
        assert gateway.run("test", "-e", gone, check=False).returncode == 1
    assert gateway.run("systemctl", "cat", "pingan-gateway", check=False).returncode != 0
    gateway.run("test", "-s", "/var/lib/pingan/journal.sqlite3")

    again = gateway.run("/mnt/old/tools/install/install.sh", "--wheels", "/mnt/wheels", "--json")
    assert verdict(again.stdout)["state"] == "done"
    assert status(gateway)["journal"]["events"] >= events

    asked = gateway.run("pingan", "gateway", "uninstall", "--purge", check=False)
    assert asked.returncode == 2
    assert state(gateway) == "active"
    done = gateway.run("pingan", "gateway", "uninstall", "--purge", "--yes", "--json")
    assert verdict(done.stdout)["reason"] == "uninstall.purged"
    left = gateway.run("find", "/etc", "/opt", "/var/lib", "/usr/local/bin", "-name", "*pingan*").stdout.split()
    assert left == ["/etc/pingan-test-machine"]
    assert "pingan" not in gateway.run("cat", "/etc/passwd", "/etc/group").stdout
