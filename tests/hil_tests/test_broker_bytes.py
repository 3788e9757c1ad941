"""`broker_bytes` judges by the contract: a valid "busy" puts an event off, and nothing else does."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from edge_daemon.forwarder import Forwarder
from hil_tests.faults import broker_bytes
from hil_tests.faults.campaign import Outcome
from hil_tests.faults.valid_words import Believed, words_for

_MESSAGES, _SAID_AT = 80, 35


def _busy(event: str, retry_after_s: str) -> bytes:
    return f'{{"v":1,"answers":[{{"event":"{event}","answer":"busy","retry_after_s":{retry_after_s}}}]}}'.encode()


class _Scripted:
    """Nothing but nonsense, and once a valid "busy" for the newest of the victim's events."""

    retry_after_s = ""

    def __init__(self, _chance: random.Random) -> None:
        self.names: list[str] = []
        self.handles: list[str] = []
        self.rids: list[str] = []
        self._made = 0

    def make(self) -> tuple[str, bytes]:
        self._made += 1
        if self._made == _SAID_AT:
            return "answer", _busy(self.names[-1], self.retry_after_s)
        return "answer", b"{"


@pytest.fixture
def attacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the part in process with the busy that is told, and wait so long for the end."""

    async def run(retry_after_s: float, within_s: float) -> Outcome:
        monkeypatch.setattr(_Scripted, "retry_after_s", json.dumps(retry_after_s))
        monkeypatch.setattr(broker_bytes, "DownBytes", _Scripted)
        monkeypatch.setattr(broker_bytes, "_SETTLES_WITHIN_S", within_s)
        outcome = Outcome()
        await broker_bytes._in_process(_MESSAGES, tmp_path / "inside", random.Random(1), outcome)
        return outcome

    return run


@pytest.mark.timeout(200)
@pytest.mark.parametrize(("retry_after_s", "put_off"), [(600, 1), (2, 0)])
async def test_a_busy_that_outlasts_the_campaign_is_ended_and_a_short_one_ends_by_itself(
    attacked, retry_after_s, put_off
) -> None:
    outcome = await attacked(retry_after_s, 60.0)
    assert outcome.passed, "\n".join(outcome.wrong) or outcome
    assert outcome.figures["put off"] == f"{put_off} of 20"
    assert outcome.figures["valid after all"] == "0 of 20"


@pytest.mark.timeout(200)
async def test_an_event_that_the_forwarder_drops_at_a_busy_is_found(attacked, monkeypatch) -> None:
    def forgetful(self, alarm, _answer):
        self._under_way.pop(alarm.key, None)

    monkeypatch.setattr(Forwarder, "_busy", forgetful)
    outcome = await attacked(2, 20.0)
    assert len(outcome.lost) == 2
    assert outcome.figures["put off"] == "0 of 20"


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        *(("600", 600), ("0", 0), ("1.5", 1.5), ("null", None), ("601", None), ("-1", None), ("true", None)),
        *(('"9"', None), ("1e999", None), ("NaN", None), ("[]", None), ("9" * 400, None)),
    ],
)
def test_only_a_wait_of_the_contract_counts(text: str, wait_s: float | None) -> None:
    (said,) = words_for(_busy("1d4f35debd828018-00000c", text))
    assert said.retry_after_s == wait_s
    believed = Believed()
    believed.hear(said)
    assert (believed.busy_until_s > 0) is (wait_s is not None)


@pytest.mark.parametrize("word", ["accepted", "closed", "refused"])
def test_what_is_accepted_or_refused_waits_for_nothing(word: str) -> None:
    believed = Believed(state=word)
    (said,) = words_for(_busy("1d4f35debd828018-00000c", "600"))
    believed.hear(said)
    assert (believed.state, believed.busy_until_s) == (word, 0.0)
