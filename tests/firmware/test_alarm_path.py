"""From the button to the radio without heap, on the real interpreter, littlefs and `bluetooth` module."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hil_tests import micropython
from hil_tests.micropython.errors import BuildFailed
from hil_tests.wearable import provision
from protocol import codes, keys
from protocol.frame import UpOpener, parse_head
from protocol.messages import Event
from protocol.rolling import RollingIds
from protocol.serial_link import Decoder
from tests.firmware.stand_ins import BodyStandIn, RadioStandIn, Tty
from tools import image

_HERE = Path(__file__).parent
KEYS = keys.derive(b"test_only_root_1")


@pytest.fixture(scope="module", params=[64, 32])
def interpreter(request: pytest.FixtureRequest) -> Path:
    """Both object sizes: on 32 bits, as on the boards, a number beyond 2^30 takes heap."""
    try:
        return micropython.binary(request.param)
    except BuildFailed as error:
        if request.param == 32:
            pytest.skip(f"no 32-bit build here (gcc-multilib): {error}")
        raise


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image.stage("simulator", tmp_path_factory.mktemp("image") / "image").directory


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pingan-") as name:
        yield Path(name)


@dataclass
class Out:
    """What a run printed, showed, advertised and wrote to the cable: opened EVENT frames in their order."""

    printed: str
    shown: list[str]
    advertised: list[Event]
    written: list[Event]


def opened(frames: list[bytes]) -> list[Event]:
    """The events among the frames, each once; every frame must be genuine and of a counter not seen before."""
    ids, opener = RollingIds(KEYS.id), UpOpener(KEYS.up)
    events = []
    for frame in dict.fromkeys(frames):
        counter = ids.find(frame[1:9], 0, 10000)
        body = opener.open(frame, counter)
        if parse_head(frame) == codes.EVENT:
            events.append(Event(body))
    return events


def run(interpreter: Path, staged: Path, place: Path, case: str) -> Out:
    flash = place / "flash"
    provision.make_flash(interpreter, flash, KEYS)
    radio, body, tty = RadioStandIn(place / "radio"), BodyStandIn(place / "body"), Tty()
    environment = {
        "MICROPYPATH": f".frozen:{staged}",
        "PINGAN_FLASH": str(flash),
        "PINGAN_RTC": str(place / "rtc"),
        "PINGAN_RADIO": str(place / "radio"),
        "PINGAN_BODY": str(place / "body"),
        "PINGAN_SERIAL": tty.path,
        "PATH": os.environ.get("PATH", ""),
    }
    script = str(_HERE / "heap_on_micropython.py")
    command = [str(interpreter), "-X", "heapsize=320k", script, case]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    radio.close()
    body.close()
    written = Decoder().feed(tty.read())
    tty.close()
    shown = [line for line in body.lines if line.startswith("shows")]
    assert "motor 1" in body.lines
    assert "led ffffff" in body.lines
    return Out(done.stdout + done.stderr, shown, opened(radio.frames), opened(written))


def test_a_hold_takes_no_heap_up_to_both_links(interpreter: Path, staged: Path, place: Path) -> None:
    out = run(interpreter, staged, place, "hold")
    assert "Error" not in out.printed
    for events in (out.advertised, out.written):
        assert [(event.kind, event.number, event.detail) for event in events] == [(codes.SOS, 1, codes.HOLD)]
        assert 900 <= events[0].age_ms < 1300
        assert events[0].battery_percent in (71, 78)
    assert out.written[0].battery_mv == 3950
    assert out.written[0].age_resolution_ms == 1
    assert out.shown == ["shows PRESSED 1", "shows PRESSED 1"]
    assert "alarm 1 1 2 1" in out.printed
    assert "flash ok" in out.printed


def test_a_short_press_takes_no_heap_until_its_window_ends(interpreter: Path, staged: Path, place: Path) -> None:
    out = run(interpreter, staged, place, "press")
    assert [(event.kind, event.number, event.detail) for event in out.advertised] == [(codes.SOS, 1, codes.PRESS)]
    assert 9900 <= out.advertised[0].age_ms < 10400


def test_a_cancel_takes_no_heap(interpreter: Path, staged: Path, place: Path) -> None:
    out = run(interpreter, staged, place, "cancel")
    assert [(event.kind, event.number, event.detail) for event in out.advertised] == [(codes.SOS_CANCELLED, 2, 1)]
    assert out.shown[:2] == ["shows PRESSED 1", "shows COUNTING 1"]
    assert "shows CANCELLED 1" in out.shown


def test_repeats_take_no_heap_and_each_is_sealed_anew(interpreter: Path, staged: Path, place: Path) -> None:
    out = run(interpreter, staged, place, "repeat")
    assert [event.number for event in out.advertised] == [1] * len(out.advertised)
    assert len(out.advertised) == 2  # at once, and after a burst of 1 s and a gap of 1 s
    assert out.advertised[0].age_ms < out.advertised[1].age_ms


def test_failing_flash_stops_no_alarm_and_takes_no_heap(interpreter: Path, staged: Path, place: Path) -> None:
    out = run(interpreter, staged, place, "failing")
    assert [(event.kind, event.detail) for event in out.advertised] == [(codes.SOS, codes.HOLD)]
    assert "flash failed" in out.printed
