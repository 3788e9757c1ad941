"""One gateway whose days pass in minutes: its machine's clocks, its lives, and what it keeps on its disk.

Owns the daemon's process, its configuration and the hands of its clocks. Must not know what is pressed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from edge_daemon import config
from hil_tests.broker.mosquitto import Broker
from hil_tests.gateway.process import GatewayProcess
from hil_tests.gateway.steered_clock import Machine

AREA, NAME = "bench", "gw-1"
_READY_WITHIN_S = 60.0


class Home:
    """`wall_ms` is the truth, and what the daemon's wall clock shows: NTP has it all the time.

    It begins `behind_ms` before the real time, so that after as much has been skipped it is what everybody has.
    """

    def __init__(self, place: Path, behind_ms: int, boot: int) -> None:
        self.place = place
        self.broker = Broker(place / "broker")
        self.gateway: GatewayProcess
        self._state = place / "state"
        self._clock = place / "clock.json"
        self._machine = Machine(str(uuid.UUID(int=boot)), boot_ms=0, wall_ms=-behind_ms)
        self._machine.write(self._clock)

    def wall_ms(self) -> float:
        """What time it is there."""
        return time.time() * 1000 + self._machine.wall_ms

    def skip(self, ms: int) -> None:
        """So much time passes."""
        self._machine.boot_ms += ms
        self._machine.wall_ms += ms
        self._machine.write(self._clock)

    def write(self, ports: list[Path], rows: list[dict[str, str]], telemetry_mb: int) -> Path:
        """The daemon's configuration and its wearables' keys."""
        keys = self.place / "wearables.json"
        keys.touch(mode=0o600)
        keys.write_text(json.dumps({"v": 1, "wearables": rows}))
        settings = config.Config(
            gateway=config.Gateway(id=NAME, area=AREA, state_dir=str(self._state)),
            wearables=config.Wearables(key_file=str(keys)),
            ble=config.Ble(enabled=False),
            serial=config.Serial(ports=[str(port) for port in ports], rescan_s=0.2),
            platform=config.Platform(host="127.0.0.1", port=self.broker.port, tls=False, reconnect_most_s=1.0),
            supervision=config.Supervision(telemetry_most_mb=telemetry_mb),
        )
        file = self.place / "gateway.toml"
        file.write_text(config.as_toml(settings, lambda key: key), encoding="utf-8")
        return file

    async def start(self, file: Path, ports: list[Path]) -> None:
        """Its first life."""
        self._ports = ports
        self.gateway = await GatewayProcess.start(self.place, file, name="daemon", clock=self._clock)
        await self._opened(0)

    async def again(self) -> None:
        """Another life, once the one before has ended."""
        after = len(self.gateway.logs)
        await self.gateway.restart()
        await self._opened(after)

    async def _opened(self, after: int) -> None:
        for port in self._ports:
            await self.gateway.logged("serial_opened", _READY_WITHIN_S, after, port=str(port))

    def freeze(self) -> None:
        """It stops where it is."""
        os.kill(self.gateway.child.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        os.kill(self.gateway.child.pid, signal.SIGCONT)

    def memory_kb(self, what: str = "VmRSS") -> int:
        """What its process takes now; VmHWM: at its most."""
        status = Path(f"/proc/{self.gateway.child.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith(f"{what}:")).split()[1])

    def rows_on_disk(self, take: Callable[[str, int], None]) -> int:
        """Tell `take` wearable and uptime of each row of telemetry there is; how many bytes they are."""
        size = 0
        for file in sorted((self._state / "telemetry").glob("*.jsonl")):
            size += file.stat().st_size
            # The first line is the header; a life that was killed may have left half a line.
            for line in file.read_text(encoding="ascii").splitlines()[1:]:
                with contextlib.suppress(ValueError):
                    row = json.loads(line)
                    take(row[1], row[4])
        return size

    def journal(self) -> tuple[dict[str, int], str]:
        """Each event with its stage, and what SQLite thinks of the file. The daemon must have ended."""
        with contextlib.closing(sqlite3.connect(self._state / "journal.sqlite3")) as db:
            (sound,) = db.execute("PRAGMA integrity_check").fetchone()
            rows = db.execute("SELECT wearable, number, stage FROM events").fetchall()
        return {f"{wearable}-{number:06x}": stage for wearable, number, stage in rows}, str(sound)
