"""What MicroPython's modules/_boot.py, flashbdev.py and inisetup.py of the ESP32 port do with the `vfs` partition.

A blank one is formatted and gets a boot.py of comments; one that is neither blank nor readable is left alone, and the
chip says so for ever. The host's file system, which the unix port mounts at `/`, is taken away.
"""

import time

import esp32
import machine  # noqa: F401  while the host's files are there; the firmware's `import machine` finds it
import vfs

_BLOCKS_LOOKED_AT = 1
_BOOT_PY = """\
# This file is executed on every boot (including wake-boot from deepsleep)
#import esp
#esp.osdebug(None)
#import webrepl
#webrepl.start()
"""


def mount():
    """Mount `/`, making it first where flash is blank. Does not return from a spoilt one."""
    vfs.umount("/")
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="vfs")
    if not found:
        return
    try:
        vfs.mount(found[0], "/")
    except OSError:
        _set_up(found[0])


def _set_up(partition):
    first = bytearray(partition.ioctl(5, 0) * _BLOCKS_LOOKED_AT)
    partition.readblocks(0, first)
    if first != b"\xff" * len(first):
        _say_it_is_spoilt(partition)
    print("Performing initial setup")
    vfs.VfsLfs2.mkfs(partition)
    vfs.mount(partition, "/")
    with open("boot.py", "w") as file:
        file.write(_BOOT_PY)


def _say_it_is_spoilt(partition):
    while True:
        print(
            "The filesystem starting at sector %d with size %d sectors looks corrupt. You may want to make a flash "
            "snapshot and try to recover it. Otherwise, format it with VfsLfs2.mkfs(bdev), or completely erase the "
            "flash and reprogram MicroPython." % (partition.info()[2] // 4096, partition.info()[3] // 4096)
        )
        time.sleep(3)
