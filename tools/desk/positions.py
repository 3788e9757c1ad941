"""Positions out of an opened trail, as the desk stores and shows them. Owns that translation.

Opens no box and keeps nothing; the layout of a trail is protocol/trail_code.py's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge_daemon.clock import iso
from protocol import trail_code
from protocol.messages import NotUnderstood


@dataclass(frozen=True, slots=True)
class Place:
    """Where a wearer was. Degrees (WGS 84) times 100,000. `accuracy_m`: within so many metres; None: not known."""

    at_ms: int
    latitude_e5: int
    longitude_e5: int
    accuracy_m: int | None


def places(content: bytes) -> list[Place]:
    """All that were found, in the order in which they were taken; none of what is no trail."""
    try:
        positions = trail_code.unpack(content)
    except NotUnderstood:
        return []
    return [
        Place(one.unix_s * 1000, one.latitude_e5, one.longitude_e5, _accuracy_m(one.accuracy))
        for one in positions
        if one.found
    ]


def newest(content: bytes) -> Place | None:
    """The last one found; None: there is none."""
    return max(places(content), key=lambda place: place.at_ms, default=None)


def view(place: Place) -> dict[str, Any]:
    """As the API and the page have it: degrees, RFC 3339."""
    return {
        "at": iso(place.at_ms),
        "latitude": place.latitude_e5 / 100_000,
        "longitude": place.longitude_e5 / 100_000,
        "accuracy_m": place.accuracy_m,
    }


def _accuracy_m(accuracy: int) -> int | None:
    return trail_code.WITHIN_M[accuracy] if accuracy < len(trail_code.WITHIN_M) else None
