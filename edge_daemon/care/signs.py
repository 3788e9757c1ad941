"""What a wearable's event says of its wearer: alive, well, or in need. Owns that reading, kind by kind.

Must not know what is asked, or who is told. A sign counts from when it was given, not from when it was heard: a
wearable that was out of reach tells late. Of one that cannot say when, nothing is believed but an alarm.
"""

from __future__ import annotations

from edge_daemon.care.case import Case
from edge_daemon.clock import Clock
from edge_daemon.heard import Alarm
from protocol import codes

# Done by somebody who can use their hands, and asks for no help.
_WELL = (
    codes.SOS_CANCELLED,
    codes.SERVICE_MEDICAL,
    codes.SERVICE_CARE,
    codes.SERVICE_INFORMATION,
    codes.SERVICE_COUNSELLING,
    codes.SERVICE_HOUSEHOLD,
    codes.SERVICE_CALL_ME,
    codes.CHECKIN_ANSWERED,
    codes.VISIT_ARRIVED,
    codes.VISIT_DONE,
)
# Done to the wearable by somebody, if only by whoever tests it.
_ALIVE = (*_WELL, codes.FALL_RECOVERED, codes.WEARABLE_REMOVED, codes.WEARABLE_WORN, codes.TEST_BY_HAND)
_BY_HAND = (codes.PRESS, codes.HOLD, codes.SCREEN)


def take(case: Case, alarm: Alarm, clock: Clock, offset_ms: int | None) -> None:
    """An event of this wearer, new or of before a start. `offset_ms`: believed wall time minus boot time."""
    heard_ms = _heard_ms(alarm, clock, offset_ms)
    if heard_ms is None:
        return
    recovered = alarm.kind == codes.FALL_RECOVERED and alarm.raw is None
    # Of a wearer who got up only the accelerometer says so: they need no help, and have not answered.
    pressed_away = recovered and alarm.detail == codes.PRESSED_AWAY
    well = pressed_away or (alarm.kind in _WELL and alarm.raw is None)
    if alarm.meaning.event_class == "emergency" and not (well or recovered):
        case.checkins.alarm(heard_ms)
    if alarm.age_ms < 0 or alarm.raw is not None:
        return
    given_ms = heard_ms - alarm.age_ms
    if well:
        detail = alarm.detail if alarm.kind == codes.CHECKIN_ANSWERED else 0
        case.checkins.answered(detail, given_ms)
    if alarm.kind in _ALIVE or (alarm.kind == codes.SOS and alarm.detail in _BY_HAND):
        case.still.sign(clock.now_ms() - given_ms)


def _heard_ms(alarm: Alarm, clock: Clock, offset_ms: int | None) -> int | None:
    """When it was heard by the boot-time clock of this run; None: nobody knows."""
    if alarm.boot_id == clock.boot_id:
        return alarm.heard_ms
    return None if offset_ms is None else alarm.heard_wall_ms - offset_ms
