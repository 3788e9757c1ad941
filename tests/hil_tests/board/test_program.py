"""The bench's chip running MicroPython: real mpremote over a pty, the flash file, restarts, and the prompt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests import micropython
from hil_tests.board.program import Around
from tests.hil_tests.board.cabled import FLASH_BYTES, Cabled
from tools import image

pytestmark = pytest.mark.skipif(not micropython.can_build(), reason="the chip's prompt needs our own build")


@pytest.fixture
def cabled(tmp_path: Path) -> Iterator[Cabled]:
    with Cabled(tmp_path) as board:
        yield board


def test_mpremote_copies_lists_and_compares_files(cabled: Cabled, tmp_path: Path) -> None:
    sent = tmp_path / "some.bin"
    sent.write_bytes(bytes(range(256)) * 40)
    cabled.mpremote("fs", "cp", str(sent), ":lib.bin")
    assert "10240 lib.bin" in cabled.mpremote("fs", "ls")
    assert hashlib.sha256(sent.read_bytes()).hexdigest() in cabled.mpremote("fs", "sha256sum", ":lib.bin")
    cabled.mpremote("fs", "cp", ":lib.bin", str(tmp_path / "back.bin"))
    assert (tmp_path / "back.bin").read_bytes() == sent.read_bytes()


def test_files_lie_in_the_vfs_partition_and_nowhere_else(cabled: Cabled) -> None:
    before = cabled.flash.read_bytes()
    cabled.mpremote("exec", "open('mark', 'wb').write(b'a mark nobody else makes' * 100)")
    after = cabled.flash.read_bytes()
    changed = [at for at in range(0, FLASH_BYTES, 4096) if before[at : at + 4096] != after[at : at + 4096]]
    assert changed
    assert all(0x200000 <= at < 0x3C0000 for at in changed)


def test_files_outlive_a_power_cut_and_ram_does_not(cabled: Cabled) -> None:
    cabled.mpremote("exec", "kept = 1\nwith open('kept', 'w') as f: f.write('yes')")
    cabled.program.stop()
    assert not cabled.program.running
    cabled.program.start()
    assert cabled.mpremote("resume", "exec", "print(open('kept').read(), 'kept' in globals())").strip() == "yes False"


@pytest.mark.parametrize(
    ("restart", "cause"),
    [("machine.reset()", 5), ("machine.WDT(timeout=300)", 3), ("machine.deepsleep(50)", 4)],
)
def test_a_restart_tells_its_cause_and_runs_boot_and_main(cabled: Cabled, restart: str, cause: int) -> None:
    cabled.write("boot.py", "print('boot')")
    cabled.write("main.py", "import machine; print('main', machine.reset_cause())")
    cabled.mpremote("exec", "--no-follow", f"import machine; {restart}")
    assert "boot" in cabled.hears(f"main {cause}")


def test_a_soft_reset_of_the_raw_prompt_runs_boot_and_not_main(cabled: Cabled) -> None:
    cabled.write("main.py", "mained = 1")
    # Left open: the soft reset closes it.
    cabled.mpremote("exec", "file = open('boot.py', 'w'); file.write('booted = 1')")
    assert cabled.mpremote("exec", "print('booted' in globals(), 'mained' in globals())").strip() == "True False"


def test_ctrl_c_ends_what_runs_even_in_a_long_sleep(cabled: Cabled) -> None:
    cabled.write("main.py", "import time; print('begun'); time.sleep(1000)")
    cabled.program.reset()
    cabled.hears("begun")
    cabled.type(b"\x03")
    assert "KeyboardInterrupt" in cabled.hears(">>> ")


def test_a_spoilt_file_system_is_told_and_left_alone(cabled: Cabled) -> None:
    cabled.program.stop()
    with cabled.flash.open("r+b") as flash:
        flash.seek(0x200000)
        flash.write(b"\x55" * 8192)
    before = cabled.flash.read_bytes()
    cabled.program.start()
    cabled.hears("looks corrupt")
    assert cabled.flash.read_bytes() == before


def test_cells_of_a_dead_block_take_nothing(tmp_path: Path) -> None:
    code = """
import esp32
part = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="records")[0]
part.writeblocks(0, b"x" * 4096); part.writeblocks(1, b"x" * 4096)
buf = bytearray(4); part.readblocks(0, buf); print(bytes(buf)); part.readblocks(1, buf); print(bytes(buf))
part.writeblocks(1, b"y", 0); part.readblocks(1, buf); print(bytes(buf)[:1] == bytes([ord("x") & ord("y")]))
"""
    with Cabled(tmp_path, Around(environment={"PINGAN_DEAD_FLASH": f"{0x3C0000},{0x3C0FFF}"})) as board:
        assert board.mpremote("exec", code).split() == ["b'\\xff\\xff\\xff\\xff'", "b'xxxx'", "True"]


def test_the_pendants_own_image_runs(cabled: Cabled, tmp_path: Path) -> None:
    staged = image.stage("pendant_xiao_esp32c3", tmp_path / "image")
    cabled.mpremote("fs", "cp", "-r", *(str(path) for path in sorted(staged.directory.iterdir())), ":")
    cabled.mpremote("reset")
    said = cabled.hears("ready 1.0.0")
    assert "not provisioned" in said
    assert "Traceback" not in said
