"""Whether to sleep, and for how long. Pure.

Owns the policy; must not know how a board sleeps. After a deep sleep the application starts anew from RTC memory and
flash, so sleeping is a restart that was planned.
"""

# Starting again takes a third of a second and some 20 mAs: shorter sleeps are dearer than staying awake.
WORTH_MS = 3000
# The gateway may try for 10 s to connect to the address it heard, and an address does not outlive a deep sleep.
ADDRESS_KEPT_MS = 12000
# After a start: time for a technician's cable and for the first heartbeat's answer.
AWAKE_FIRST_MS = 15000
# Nobody sleeps longer: the clock in RTC memory drifts by some percent.
SLEEP_MOST_MS = 30 * 60 * 1000


def sleep_ms(now_ms, next_due_ms, last_burst_ms):
    """How long to sleep now, 0 for not at all. All three are times of this run; `last_burst_ms`: its end."""
    if next_due_ms - now_ms < WORTH_MS or next_due_ms - last_burst_ms < ADDRESS_KEPT_MS:
        return 0
    return min(next_due_ms - now_ms, SLEEP_MOST_MS)
