"""What provisioning writes: read back by the interpreter itself, and by the gateway's registry."""

from __future__ import annotations

import subprocess
import zlib
from pathlib import Path

import pytest

from edge_daemon import registry
from hil_tests import micropython
from hil_tests.wearable import provision
from hil_tests.wearable.errors import WearableFailed
from protocol import keys

ROOT_1 = b"test_only root 1"
_READ_BACK = """
import sys, vfs
flash = open(sys.argv[1], 'r+b')
class Device:
    def readblocks(self, n, buf, off=0):
        flash.seek(n * 4096 + off); flash.readinto(buf)
    def ioctl(self, op, arg):
        return {4: 64, 5: 4096}.get(op, 0)
vfs.mount(vfs.VfsLfs2(Device(), readsize=32, progsize=128), '/flash')
sys.stdout.buffer.write(open('/flash/identity', 'rb').read())
"""


def test_the_identity_is_in_the_flash(tmp_path: Path) -> None:
    derived = keys.derive(ROOT_1)
    flash = tmp_path / "flash"
    provision.make_flash(micropython.binary(), flash, derived)
    assert flash.stat().st_size == 64 * 4096
    script = tmp_path / "read_back.py"
    script.write_text(_READ_BACK)
    done = subprocess.run([micropython.binary(), script, flash], capture_output=True, check=True, timeout=30)
    record = done.stdout
    assert record[:12] == b"PAT1" + derived.handle
    assert record[12:76] == derived.up + derived.down + derived.id + derived.trail
    assert record[76:] == zlib.crc32(record[:76]).to_bytes(4, "little")


def test_a_flash_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    flash = tmp_path / "flash"
    flash.write_bytes(b"kept")
    with pytest.raises(FileExistsError):
        provision.make_flash(micropython.binary(), flash, keys.derive(ROOT_1))
    assert flash.read_bytes() == b"kept"


def test_a_writer_that_fails_leaves_no_flash(tmp_path: Path) -> None:
    with pytest.raises(WearableFailed, match="writing flash"):
        provision.make_flash(Path("/bin/false"), tmp_path / "flash", keys.derive(ROOT_1))
    assert not (tmp_path / "flash").exists()


def test_the_gateway_reads_the_key_file(tmp_path: Path) -> None:
    derived = keys.derive(ROOT_1)
    path = tmp_path / "wearables.json"
    provision.write_key_file(path, [provision.registry_row(derived)])
    wearable = registry.load(path)[derived.handle.hex()]
    assert (wearable.up, wearable.down, wearable.id) == (derived.up, derived.down, derived.id)
