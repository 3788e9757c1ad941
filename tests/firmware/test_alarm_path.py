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
CASES = ("hold", "press", "cancel", "repeat", "failing", "test", "test_hold", "test_over", "leaky")
# What else a press and a watch make: of each, kind and detail of all that goes out, and what is shown.
MEANT = {
    "service": ((codes.SERVICE_CARE, 0), ["PRESSED 1", "PRESSED 1"]),
    "answer": ((codes.CHECKIN_ANSWERED, codes.PROMPT_MEDICINE), ["PROMPTED 0", "PRESSED 1", "PRESSED 1"]),
    "fall": ((codes.SOS, codes.FALL_UNANSWERED), ["FALLING 1", "PRESSED 1"]),
    "got_up": ((codes.FALL_RECOVERED, codes.PRESSED_AWAY), ["FALLING 1", "PRESSED 1", "CANCELLED 1"]),
    "screen": ((codes.SOS, codes.SCREEN), ["PRESSED 1", "COUNTING 1", "PRESSED 1"]),
}


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


class Run:
    """One case in its own process, with its own radio, body, cable and flash."""

    def __init__(self, interpreter: Path, staged: Path, place: Path, case: str) -> None:
        place.mkdir()
        provision.make_flash(interpreter, place / "flash", KEYS)
        self._radio, self._body, self._tty = RadioStandIn(place / "radio"), BodyStandIn(place / "body"), Tty()
        environment = {
            "MICROPYPATH": f".frozen:{staged}",
            "PINGAN_FLASH": str(place / "flash"),
            "PINGAN_RTC": str(place / "rtc"),
            "PINGAN_RADIO": str(place / "radio"),
            "PINGAN_BODY": str(place / "body"),
            "PINGAN_SERIAL": self._tty.path,
            "PATH": os.environ.get("PATH", ""),
        }
        command = [str(interpreter), "-X", "heapsize=320k", str(_HERE / "heap_on_micropython.py"), case]
        self._process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._heard = False

    def out(self) -> Out:
        """Wait for its end. Raises AssertionError with what it printed when it failed."""
        self._heard = True
        try:
            printed, _ = self._process.communicate(timeout=60)
        finally:
            self._process.kill()
            self._radio.close()
            self._body.close()
        written = Decoder().feed(self._tty.read())
        self._tty.close()
        assert self._process.returncode == 0, printed
        assert "Error" not in printed, printed
        assert "motor 1" in self._body.lines
        assert "led ffffff" in self._body.lines
        shown = [line for line in self._body.lines if line.startswith("shows")]
        return Out(printed, shown, opened(self._radio.frames), opened(written))

    def leave(self) -> None:
        """End it when nobody has asked what it printed: its test ran in another worker."""
        if self._heard:
            return
        self._process.kill()
        self._process.communicate(timeout=60)
        for part in (self._radio, self._body, self._tty):
            part.close()


@pytest.fixture(scope="module", params=[64, 32])
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    """All cases at once, for they wait more than they work. Both object sizes: on 32 bits, as on the boards, a number
    beyond 2^30 takes heap."""
    if not micropython.can_build():
        pytest.skip("no compiler here: the `bluetooth` of Debian's own interpreter is in Python and takes heap itself")
    try:
        interpreter = micropython.binary(request.param)
    except BuildFailed as error:
        if request.param == 32:
            pytest.skip(f"no 32-bit interpreter here: {error}")
        raise
    staged = image.stage("simulator", tmp_path_factory.mktemp("image") / "image").directory
    with tempfile.TemporaryDirectory(prefix="pingan-") as place:
        made = {case: Run(interpreter, staged, Path(place) / case, case) for case in (*CASES, *MEANT)}
        yield made
        for run in made.values():
            run.leave()


def test_a_hold_takes_no_heap_up_to_both_links(runs: dict[str, Run]) -> None:
    out = runs["hold"].out()
    for events in (out.advertised, out.written):
        assert [(event.kind, event.number, event.detail) for event in events] == [(codes.SOS, 1, codes.HOLD)]
        assert 900 <= events[0].age_ms < 1300
        assert events[0].battery_percent in (71, 78)
    assert out.written[0].battery_mv == 3950
    assert out.written[0].age_resolution_ms == 1
    assert out.shown == ["shows PRESSED 1", "shows PRESSED 1"]
    assert "alarm 1 1 2 1" in out.printed
    assert "flash ok" in out.printed


def test_a_short_press_takes_no_heap_until_its_window_ends(runs: dict[str, Run]) -> None:
    out = runs["press"].out()
    assert [(event.kind, event.number, event.detail) for event in out.advertised] == [(codes.SOS, 1, codes.PRESS)]
    assert 9900 <= out.advertised[0].age_ms < 10400


def test_a_cancel_takes_no_heap(runs: dict[str, Run]) -> None:
    out = runs["cancel"].out()
    assert [(event.kind, event.number, event.detail) for event in out.advertised] == [(codes.SOS_CANCELLED, 2, 1)]
    assert out.shown[:2] == ["shows PRESSED 1", "shows COUNTING 1"]
    assert "shows CANCELLED 1" in out.shown


def test_repeats_take_no_heap_and_each_is_sealed_anew(runs: dict[str, Run]) -> None:
    out = runs["repeat"].out()
    assert [event.number for event in out.advertised] == [1] * len(out.advertised)
    assert len(out.advertised) == 2  # at once, and after a burst of 1 s and a gap of 1 s
    assert out.advertised[0].age_ms < out.advertised[1].age_ms


def test_failing_flash_stops_no_alarm_and_takes_no_heap(runs: dict[str, Run]) -> None:
    out = runs["failing"].out()
    assert [(event.kind, event.detail) for event in out.advertised] == [(codes.SOS, codes.HOLD)]
    assert "flash failed" in out.printed


def test_a_test_and_its_cancel_take_no_heap(runs: dict[str, Run]) -> None:
    """The press is out at once; the cancel tells of it by its number; nothing of the two is an emergency."""
    out = runs["test"].out()
    for events in (out.advertised, out.written):
        told = [(event.kind, event.number, event.detail) for event in events]
        assert list(dict.fromkeys(told)) == [(codes.TEST_BY_HAND, 1, 0), (codes.TEST_BY_HAND, 2, 1)]
        assert events[0].age_ms < 400
    assert out.shown[:3] == ["shows ARMED 0", "shows PRESSED 1", "shows PRESSED 1"]
    assert "shows CANCELLED 1" in out.shown


def test_a_hold_in_the_middle_of_a_test_takes_no_heap_and_ends_it(runs: dict[str, Run]) -> None:
    """Right after the test press: the SOS is out at the hold, and of the test nothing is left."""
    out = runs["test_hold"].out()
    events = [(event.kind, event.number, event.detail) for event in out.written]
    assert events == [(codes.TEST_BY_HAND, 1, 0), (codes.SOS, 2, codes.HOLD)]
    assert (codes.SOS, 2, codes.HOLD) in [(event.kind, event.number, event.detail) for event in out.advertised]
    assert [line for line in out.printed.splitlines() if line.startswith("alarm")] == ["alarm 1 2 2 1"]
    assert out.shown[-1] == "shows PRESSED 2"


def test_the_end_of_test_mode_takes_no_heap(runs: dict[str, Run]) -> None:
    """It runs out: its test is forgotten, and nothing is shown of it any more."""
    out = runs["test_over"].out()
    assert "alarm" not in out.printed
    assert out.shown[-1] == "shows IDLE 0"


@pytest.mark.parametrize("case", MEANT)
def test_services_answers_falls_and_the_screens_sos_take_no_heap(runs: dict[str, Run], case: str) -> None:
    out = runs[case].out()
    event, shown = MEANT[case]
    for events in (out.advertised, out.written):
        assert {(event.kind, event.detail) for event in events} == {event}
    assert out.shown[: len(shown)] == [f"shows {stage}" for stage in shown]


def test_the_proof_would_see_a_single_object_on_the_heap(runs: dict[str, Run]) -> None:
    """The same hold with one line in the way that makes a string."""
    with pytest.raises(AssertionError, match="heap is locked"):
        runs["leaky"].out()
