"""esptool as a child: what its failures are called, that it ends when told to, and that its reading is compared."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from hil_tests.board.chip import ESP32_C3
from hil_tests.board.release import release
from tools.flash import boards, esptool, image, plan
from tools.flash.flashing import Flashing
from tools.kit.telling import Telling
from tools.messages import Messages, catalogue


def _fails_with(text: str) -> esptool.ToolFailed:
    command = [sys.executable, "-c", f"import sys; print({text!r}); sys.exit(2)"]
    with pytest.raises(esptool.ToolFailed) as failed:
        esptool.run(command, lambda _done, _whole: None, threading.Event())
    assert failed.value.key in catalogue()
    return failed.value


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("Could not open /dev/ttyACM0, the port is busy or doesn't exist.\n(... Permission denied: ...)",
         "flash.no_permission"),
        ("Could not exclusively lock port /dev/ttyACM0: [Errno 11] Resource temporarily unavailable", "flash.busy"),
        ("A fatal error occurred: Failed to connect to ESP32-C3: No serial data received.", "flash.cable"),
        ("read failed: [Errno 5] Input/output error", "flash.cable"),
        ("A fatal error occurred: MD5 of file does not match data in flash!", "flash.bad_flash"),
        ("The 'flash-id' command is not available in Secure Download Mode.", "flash.locked"),
        # A block that differs is no failure of its own when the cable goes afterwards.
        ("Verification failed (digest mismatch).\nread failed: [Errno 5] Input/output error", "flash.cable"),
        ("something nobody knows", "flash.tool_failed"),
    ],
)  # fmt: skip
def test_a_failure_is_told_by_what_is_to_be_done_about_it(said: str, key: str) -> None:
    assert _fails_with(said).key == key


def test_progress_is_read_from_its_lines() -> None:
    seen = []
    lines = (
        "Writing at 0x0003f7a0 ━━━━ 42.5% 544B/544B [0s]\\nReading from 0x00001000 ━━ 100.0% 4.0kB/4.0kB [0s]\\n100.0%"
    )
    esptool.run(
        [sys.executable, "-c", f"print('{lines}')"], lambda done, whole: seen.append((done, whole)), threading.Event()
    )
    assert seen == [(42.5, 100.0), (100.0, 100.0)]


def test_it_ends_when_told_although_it_says_nothing() -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    begun_s = time.monotonic()
    with pytest.raises(esptool.Stopped):
        esptool.run([sys.executable, "-c", "import time; time.sleep(600)"], lambda _done, _whole: None, stop)
    assert time.monotonic() - begun_s < 60


@pytest.mark.parametrize("at", [0, 0x8000, 0x10123])
def test_what_is_read_back_is_compared_byte_for_byte(tmp_path: Path, at: int) -> None:
    board = boards.chosen("pendant_xiao_esp32c3")
    parts = image.parts_of(board, release(ESP32_C3), "file")
    job = plan.Job("/dev/ttyACM0", board, parts, tmp_path, erase=False, replace_identity=False)
    flash = bytearray(b"\xff" * plan.program_end(parts))
    for part in parts[:-1]:
        flash[part.offset : part.offset + len(part.data)] = part.data
    with Telling("flash", Messages("en"), as_json=True) as telling:
        flashing = Flashing(job, tmp_path / "backups", telling, threading.Event())
        job.file("check").write_bytes(flash)
        assert flashing._compared("") == {"bytes": sum(len(part.data) for part in parts)}
        flash[at] ^= 1
        job.file("check").write_bytes(flash)
        with pytest.raises(esptool.ToolFailed) as failed:
            flashing._compared("")
    assert failed.value.key == "flash.bad_flash"
