"""Between what runs and what is kept over a deep sleep (kept.py): times of this run there, ms since power-on here.

Owns that translation, both ways. Must not know when to sleep, nor the record's layout.
"""

from .kept import Kept


def record(started_ms, counter, plan, heartbeat, feedback, battery):
    """A record with everything but the alarms, the ledger and the identity."""
    return Kept(
        counter.exact,
        started_ms + plan.ask_due_ms,
        plan.ask_gap_ms,
        started_ms + heartbeat.due_ms,
        feedback.stage,
        feedback.number,
        started_ms + feedback.began_ms,
        battery.level,
    )


def resume(kept, started_ms, plan, heartbeat, feedback, battery):
    """Take it up again."""
    plan.ask_due_ms = kept.ask_due - started_ms
    plan.ask_gap_ms = kept.ask_gap
    heartbeat.due_ms = kept.heartbeat_due - started_ms
    battery.level = kept.battery_level
    feedback.resume(kept.stage, kept.number, kept.stage_began - started_ms)


def keep_alarms(kept, started_ms, alarms):
    """How each slot is tried."""
    for alarm in alarms:
        due_ms, first_ms = started_ms + alarm.due_ms, started_ms + alarm.first_try_ms
        kept.slots.append((alarm.tries, alarm.gap_ms, due_ms, first_ms, alarm.unsent))


def resume_alarms(kept, started_ms, alarms):
    """Take it up again, of those that flash has."""
    for alarm in alarms:
        tries, gap_ms, due, first, unsent = kept.slots[alarm.slot]
        if alarm.used:
            alarm.tries, alarm.gap_ms, alarm.unsent = tries, gap_ms, bool(unsent)
            alarm.due_ms, alarm.first_try_ms = due - started_ms, first - started_ms
