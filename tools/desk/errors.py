"""The desk's own errors. Owns the types by which it decides what to answer; knows no message text."""

from __future__ import annotations


class StoreFailed(Exception):
    """The store could not commit, nothing of the transaction is in it: events are answered busy, never accepted."""


class BrokerDown(Exception):
    """There is no connection to the broker now, or it did not confirm in time."""


class NotUnderstood(Exception):
    """A message that is not of the contract. str(): the place where reading stopped."""


class NotGenuine(Exception):
    """A box that the desk has the key of does not open. str(): which."""


class TooOld(Exception):
    """A plan or settings older than what is kept, whose versions these are; None: nothing is."""

    def __init__(self, plan_version: int | None, settings_version: int | None) -> None:
        super().__init__(f"plan {plan_version}, settings {settings_version}")
        self.plan_version = plan_version
        self.settings_version = settings_version


class NobodyThere(Exception):
    """No gateway is known to hear this wearable."""


class NoSuchIncident(Exception):
    """An operator named an event that is not stored here."""


class TakenAlready(Exception):
    """Somebody else has it, or it is closed. `incident` is its present view."""

    def __init__(self, incident: dict[str, object]) -> None:
        super().__init__(str(incident.get("event")))
        self.incident = incident
