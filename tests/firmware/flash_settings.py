"""Settings in a wearable's life on a hostile chip: what they are, and how they come down. Runs on MicroPython."""

from protocol import box, codes
from protocol.settings import Fence, Settings
from protocol.watchful import parts


def living(version):
    """Settings that say which version they are; every other has fences for more than one part of a box."""
    settings = Settings()
    settings.short_press = codes.SERVICE_CARE
    settings.moving_s = version
    if version % 2 == 0:
        settings.fences = [Fence(number, 0x30, 31000000, 121000000, version) for number in range(1, 15)]
    return settings


def settled(body, trail_key, version):
    """Settings come down in parts; the wearer's other events go on meanwhile."""
    body.promises.settling = version
    sealed = box.seal(trail_key, box.SETTINGS, version, b"testonly", living(version).pack())
    for index, args in enumerate(parts(version, sealed)):
        body.board.command(16 * version + index, codes.COMMAND_SETTINGS, args)
        yield 300
    if body.board.app._settings.version == version:
        body.promises.settings = version
