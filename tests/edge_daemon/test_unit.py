"""The shipped systemd unit: how exposed it leaves the machine, and that the gateway can live under it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge_daemon import config
from hil_tests.broker.mosquitto import Broker
from protocol import codes

from .home import WiredWearable, home
from .platform_end import platform
from .wearer import Wearer

UNIT = Path(__file__).resolve().parents[2] / "edge_daemon/deploy/pingan-gateway.service"
EXPOSURE_MOST = 2.0
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze: tools/setup.sh test installs it where it can"
)
# prctl(2), Linux 6.3: what systemd's MemoryDenyWriteExecute= asks for, here without systemd.
_DENY_WRITE_EXECUTE = """
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).prctl(65, 1, 0, 0, 0):
    sys.exit(77)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def _settings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@needs_systemd
def test_its_exposure_is_as_low_as_we_say() -> None:
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    level = re.search(r"Overall exposure level for pingan-gateway.service: ([0-9.]+)", said)
    assert level is not None, said
    assert float(level[1]) <= EXPOSURE_MOST, said


@needs_systemd
def test_systemd_understands_every_line_of_it(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/pingan/current/bin/python", sys.executable))
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False, timeout=60
    ).stderr
    ours = [line for line in said.splitlines() if UNIT.name in line]
    assert ours == []
    unit.write_text(unit.read_text().replace("UMask=0077", "UMask=0077\nUmaks=0077"))
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False, timeout=60
    ).stderr
    assert "Umaks" in said, "it would not have told us"


def test_it_runs_as_nobody_special_where_the_configuration_says() -> None:
    settings = _settings()
    (user,) = settings["User"]
    assert user not in ("root", "0")
    assert settings["CapabilityBoundingSet"] == settings["AmbientCapabilities"] == [""]
    assert settings["Type"] == ["notify"]
    assert int(settings["WatchdogSec"][0]) >= 30
    assert config.Gateway().state_dir == f"/var/lib/{settings['StateDirectory'][0]}"
    assert settings["StateDirectoryMode"] == settings["RuntimeDirectoryMode"] == ["0700"]
    allowed = {line.split()[0].removeprefix("char-") for line in settings["DeviceAllow"]}
    assert {Path(port).name.rstrip("*") for port in config.Serial().ports} == allowed


def test_what_the_gateway_reads_of_the_kernel_is_left_to_it() -> None:
    """Clock: the boot's id in /proc/sys, and adjtimex(2). Each was denied by a setting that looks harmless."""
    settings = _settings()
    assert "ProcSubset" not in settings
    assert "ProtectClock" not in settings
    allowed = settings["SystemCallFilter"].index("adjtimex clock_adjtime")
    assert allowed > settings["SystemCallFilter"].index("~@privileged @resources")


@pytest.fixture
def denying_kernel() -> None:
    probe = subprocess.run([sys.executable, "-c", _DENY_WRITE_EXECUTE, "-c", ""], check=False, timeout=60)
    if probe.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")


@pytest.mark.usefixtures("denying_kernel")
async def test_the_gateway_works_where_memory_is_never_both_written_and_run(tmp_path: Path) -> None:
    wearer = Wearer()
    with Broker() as broker:
        async with platform(broker.port) as there, home(tmp_path, broker.port, wearer) as gateway:
            gateway.command = [sys.executable, "-c", _DENY_WRITE_EXECUTE]
            wearable = WiredWearable(tmp_path, wearer)
            try:
                await gateway.start()
                await wearable.until(wearable.press(), codes.ACCEPTED)
            finally:
                wearable.close()
            assert len(there.incidents) == 1
            assert await gateway.ended(15) == 0


def test_the_readme_and_the_setup_know_of_it() -> None:
    root = UNIT.parents[2]
    assert "systemd-analyze" in (root / "tools/setup.sh").read_text(encoding="utf-8")
    readme = (root / "tools/install/README.md").read_text(encoding="utf-8")
    for name in UNIT.parent.glob("pingan-gateway.*"):
        assert name.name in readme
