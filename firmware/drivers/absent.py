"""What a board answers for parts that it has not: no screen, no touch, no satellites, no accelerometer.

Owns these answers (boards/contract.py). A board that has a part overrides what belongs to it.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence
    from framebuf import FrameBuffer


class Absent:
    """See boards/contract.py."""

    has_display = False
    has_touch = False
    has_gnss = False
    has_accelerometer = False

    def canvas(self) -> "FrameBuffer | None":
        """None: no screen."""
        return None

    def flush(self, palette: "Sequence[int] | None") -> None:
        """Nothing."""

    def touches(self) -> "list[tuple[int, int]]":
        """None."""
        return []

    def samples(self, buf: "array[int]") -> int:  # noqa: ARG002  # the contract's
        """None."""
        return 0

    def watch_motion(self, falls: bool) -> None:
        """Nothing."""

    def gnss(self, on: bool) -> None:
        """Nothing."""

    def gnss_read(self, buf: bytearray) -> int:  # noqa: ARG002  # the contract's
        """Nothing."""
        return 0
