"""Wearables that come and go while the gateway runs: which part learns of it, in which order. Owns that order.

Guarantee: one turn of the loop, no frame in between; the windows of those that stay are not touched, alarms on their
way go on, whoever made them. Must not know who asks for it (control/enrolment.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge_daemon.admission import Admission
from edge_daemon.commands import Commands
from edge_daemon.enrolled import Enrolled
from edge_daemon.registry import Wearable
from edge_daemon.replies import Replies
from edge_daemon.supervision.impaired import Impaired
from edge_daemon.supervision.wearables import WearableWatch


def follow(
    enrolled: Enrolled,
    admission: Admission,
    windows: Mapping[str, int],
    replies: Replies,
    commands: Commands,
    watch: WearableWatch,
    impaired: Impaired,
    forget: Callable[[str], None],
    expect: Callable[[bool], None],
) -> None:
    """Have all parts follow `enrolled`. `windows`: the highest counter of each wearable that was ever here.

    `forget` is told of each handle that is dropped, `expect` whether anybody is to be heard here at all.
    """

    def put(wearable: Wearable) -> None:
        watch.expect(wearable.handle, expected=wearable.supervised)
        replies.take_up(wearable, windows)
        if wearable.revoked:
            commands.withdraw(wearable.handle)
            impaired.release()
        admission.put(wearable, windows.get(wearable.handle, -1))
        expect(bool(enrolled.expected))

    def drop(handle: str) -> None:
        admission.drop(handle)
        watch.expect(handle, expected=False)
        commands.withdraw(handle)
        impaired.release()
        replies.drop(handle)
        forget(handle)
        expect(bool(enrolled.expected))

    enrolled.on_put, enrolled.on_drop = put, drop
