"""The daemon's own errors. Owns the types by which retry and refusal are decided; knows no message text."""

from __future__ import annotations


class Refusal(Exception):
    """Something a person must put right. `key` is a catalogue key, `params` what the message names.

    The command line renders it in the person's language; str() is the key and the parameters, for logs.
    """

    def __init__(self, key: str, /, **params: object) -> None:
        super().__init__(f"{key} {params}" if params else key)
        self.key = key
        self.params = params


class StoreFailed(Exception):
    """The journal could not commit. Nothing of the batch is on disk; the wearable must not be told STORED."""


class UplinkDown(Exception):
    """There is no connection to the broker now. Retry is the forwarder's business."""


class MessageLimit(UplinkDown):
    """The SMS of this hour are used up. What is refused may be asked for again; news goes within a minute."""
