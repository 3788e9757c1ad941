"""Disk, keys and clock: each trouble is found, and what is well is not blamed."""

from __future__ import annotations

import dataclasses
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge_daemon import config
from edge_daemon.clock import Clock
from tools.doctor import host
from tools.doctor.finding import DEADLY, GOOD, HARMFUL, WEAK, Finding, in_order

ROW = {"wearable": "1d4f35debd828018", "up": "00" * 16, "down": "11" * 16, "id": "22" * 16}


@pytest.fixture
def settings(tmp_path: Path) -> config.Config:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    return config.Config(
        gateway=config.Gateway(id="gw-1", area="bench", state_dir=str(state)),
        wearables=config.Wearables(key_file=str(tmp_path / "wearables.json")),
    )


def _keys(settings: config.Config, rows: list[dict[str, object]], mode: int = 0o600) -> None:
    file = Path(settings.wearables.key_file)
    file.write_text(json.dumps({"v": 1, "wearables": rows}))
    file.chmod(mode)


def _codes(findings: object) -> list[tuple[str, int]]:
    return [(finding.code, finding.harm) for finding in findings]  # type: ignore[attr-defined]


def test_a_disk_with_room_is_well(settings: config.Config) -> None:
    assert _codes(host.disk(settings, full_bytes=0, low_bytes=1)) == [("disk_good", GOOD)]


@pytest.mark.parametrize(
    ("full_bytes", "low_bytes", "found"),
    [(1 << 62, 1 << 62, ("disk_full", DEADLY)), (0, 1 << 62, ("disk_low", HARMFUL))],
)
def test_less_room_than_the_limits_is_told(
    settings: config.Config, full_bytes: int, low_bytes: int, found: tuple[str, int]
) -> None:
    assert _codes(host.disk(settings, full_bytes, low_bytes)) == [found]


def test_a_state_directory_that_is_not_there_or_open_to_others_is_told(settings: config.Config) -> None:
    place = Path(settings.gateway.state_dir)
    place.chmod(0o755)
    assert ("state_open", HARMFUL) in _codes(host.disk(settings))
    place.rmdir()
    assert _codes(host.disk(settings)) == [("state_missing", DEADLY)]


def test_keys_are_missing_open_none_or_good(settings: config.Config) -> None:
    assert _codes(host.keys(settings)) == [("keys_unusable", DEADLY)]
    _keys(settings, [ROW], mode=0o644)
    assert _codes(host.keys(settings)) == [("keys_unusable", DEADLY)]
    _keys(settings, [ROW | {"revoked": True}])
    assert _codes(host.keys(settings)) == [("keys_none", DEADLY)]
    _keys(settings, [ROW])
    (finding,) = host.keys(settings)
    assert (finding.code, finding.names) == ("keys_good", {"count": 1})


class _At(Clock):
    """A clock that is set by hand, vouched for or not."""

    def __init__(self, wall: datetime, synced: bool) -> None:
        super().__init__()
        self._wall, self._good = wall, synced

    def wall_ms(self) -> int:
        return int(self._wall.timestamp() * 1000)

    def synced(self) -> bool:
        return self._good


@pytest.mark.parametrize(
    ("days", "synced", "found"),
    [(-9000, True, ("clock_wrong", HARMFUL)), (1, False, ("clock_unsynced", WEAK)), (1, True, ("clock_good", GOOD))],
)
def test_the_clock_is_wrong_unsure_or_good(days: int, synced: bool, found: tuple[str, int]) -> None:
    built = datetime.fromtimestamp(time.time(), UTC)
    assert _codes(host.clock(_At(built + timedelta(days=days), synced), built)) == [found]


def test_the_worst_comes_first_and_equals_keep_the_order_of_the_way() -> None:
    made = [Finding("a", "1", GOOD), Finding("b", "2", WEAK), Finding("c", "3", DEADLY), Finding("d", "4", WEAK)]
    assert [finding.code for finding in in_order(made)] == ["3", "2", "4", "1"]
    assert dataclasses.asdict(in_order(made)[0])["harm"] == DEADLY
