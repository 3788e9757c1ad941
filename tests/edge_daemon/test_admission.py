"""Admission: who, fresh, once."""

from __future__ import annotations

import random

import pytest

from edge_daemon.admission import SPENT, Admission, Admitted, Unknown
from edge_daemon.config import Wearables as Settings
from edge_daemon.counters import Counters
from edge_daemon.registry import Wearable
from protocol import frame
from protocol.rolling import COUNTER_MAX

from .wearer import Wearer

WINDOW, WIDE = Settings().window, Settings().wide_window


def _registered(wearer: Wearer) -> Wearable:
    return Wearable(wearer.handle, wearer.keys.up, wearer.keys.down, wearer.keys.id)


def _admission(*wearers: Wearer, windows: dict[str, int] | None = None) -> tuple[Admission, Counters]:
    counters = Counters()
    return Admission([_registered(w) for w in wearers], windows or {}, WINDOW, WIDE, counters), counters


def test_each_frame_is_taken_once_and_its_repeat_is_named_a_repeat() -> None:
    wearer = Wearer()
    admission, counters = _admission(wearer)
    for _ in range(500):
        heard = wearer.heard(wearer.event())
        assert isinstance(admission.admit(heard), Admitted)
        assert admission.admit(heard) is None
    assert counters.snapshot()["refused_repeat"] == 500
    assert counters.snapshot()["frames_admitted"] == 500


def test_every_flipped_bit_is_refused_and_the_genuine_frame_still_goes_through() -> None:
    wearer = Wearer()
    admission, counters = _admission(wearer)
    genuine = wearer.event()
    for bit in range(len(genuine) * 8):
        bad = bytearray(genuine)
        bad[bit // 8] ^= 1 << bit % 8
        assert not isinstance(admission.admit(wearer.heard(bytes(bad))), Admitted), bit
    assert isinstance(admission.admit(wearer.heard(genuine)), Admitted)
    assert counters.snapshot()["frames_admitted"] == 1


def test_every_cut_is_refused() -> None:
    wearer = Wearer()
    admission, _ = _admission(wearer)
    genuine = wearer.event()
    for size in range(len(genuine)):
        assert not isinstance(admission.admit(wearer.heard(genuine[:size])), Admitted), size
    assert isinstance(admission.admit(wearer.heard(genuine)), Admitted)


def test_an_old_frame_is_refused_after_newer_ones_and_after_a_restart() -> None:
    wearer = Wearer()
    admission, counters = _admission(wearer)
    old, new = wearer.event(), wearer.event()
    assert isinstance(admission.admit(wearer.heard(new)), Admitted)
    assert admission.admit(wearer.heard(old)) is None
    assert counters.snapshot()["refused_repeat"] == 1
    restarted, _ = _admission(wearer, windows={wearer.handle: 1})
    assert restarted.admit(wearer.heard(old)) is None
    assert restarted.admit(wearer.heard(new)) is None
    assert isinstance(restarted.admit(wearer.heard(wearer.event())), Admitted)


def test_another_wearables_frame_is_unknown() -> None:
    ours, theirs = Wearer("ours"), Wearer("theirs")
    admission, _ = _admission(ours)
    unknown = admission.admit(theirs.heard(theirs.event()))
    assert isinstance(unknown, Unknown)
    for first_heard in (True, False):
        assert admission.find_far({unknown.rolling_id}, first_heard=first_heard) == {}


@pytest.mark.parametrize("ahead", [1, 64, 200, 1024, WINDOW])
def test_a_counter_that_a_loss_of_power_made_jump_needs_no_search(ahead: int) -> None:
    wearer = Wearer(counter=9 + ahead)
    admission, _ = _admission(wearer, windows={wearer.handle: 9})
    assert isinstance(admission.admit(wearer.heard(wearer.event())), Admitted)


@pytest.mark.parametrize("ahead", [WINDOW + 1, WINDOW + 2, 20_000, WIDE])
def test_a_wearable_far_ahead_is_found_by_the_wide_search(ahead: int) -> None:
    wearer = Wearer(counter=9 + ahead)
    admission, _ = _admission(wearer, windows={wearer.handle: 9})
    unknown = admission.admit(wearer.heard(wearer.event()))
    assert isinstance(unknown, Unknown)
    assert admission.find_far({unknown.rolling_id}, first_heard=True) == {}, "it has been heard"
    found = admission.find_far({b"nobody's", unknown.rolling_id}, first_heard=False)
    assert found == {unknown.rolling_id: (wearer.handle, 9 + ahead)}
    assert isinstance(admission.admit_far(wearer.handle, 9 + ahead, unknown), Admitted)
    assert admission.admit_far(wearer.handle, 9 + ahead, unknown) is None
    assert isinstance(admission.admit(wearer.heard(wearer.event())), Admitted)


def test_one_beyond_the_wide_search_is_not_found() -> None:
    wearer = Wearer(counter=9 + WIDE + 1)
    admission, _ = _admission(wearer, windows={wearer.handle: 9})
    unknown = admission.admit(wearer.heard(wearer.event()))
    assert isinstance(unknown, Unknown)
    assert admission.find_far({unknown.rolling_id}, first_heard=False) == {}


def test_a_recording_is_known_for_a_repeat_as_far_back_as_is_promised() -> None:
    wearer = Wearer()
    admission, counters = _admission(wearer, windows={wearer.handle: SPENT + 9})
    recorded = [wearer.event() for _ in range(12)]
    for frame_up in recorded[:10]:
        assert isinstance(admission.admit(wearer.heard(frame_up)), Unknown), "older: the platform's to know"
    for frame_up in recorded[10:]:
        assert admission.admit(wearer.heard(frame_up)) is None
    assert counters.snapshot()["refused_repeat"] == 2


def test_what_was_unknown_when_heard_is_opened_once_a_window_has_come_to_it() -> None:
    wearer = Wearer(counter=WINDOW + 5)
    admission, counters = _admission(wearer, windows={wearer.handle: 0})
    first, second = (admission.admit(wearer.heard(wearer.event())) for _ in range(2))
    assert isinstance(first, Unknown)
    assert isinstance(second, Unknown)
    assert admission.look_up(second) is second
    assert isinstance(admission.admit_far(wearer.handle, WINDOW + 5, first), Admitted)
    assert isinstance(admission.look_up(second), Admitted)
    assert admission.look_up(second) is None
    assert counters.snapshot()["refused_repeat"] == 1
    assert counters.snapshot()["frames_heard_serial"] == 2, "each is heard once"


def test_the_last_counters_there_are() -> None:
    wearer = Wearer(counter=COUNTER_MAX - 2)
    admission, _ = _admission(wearer, windows={wearer.handle: COUNTER_MAX - 10})
    for _ in range(3):
        assert isinstance(admission.admit(wearer.heard(wearer.event())), Admitted)


def test_tables_stay_small_over_a_long_life() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    wearers = [Wearer(name) for name in ("one", "two", "three")]
    admission, _ = _admission(*wearers)
    for _ in range(3000):
        wearer = rng.choice(wearers)
        wearer.counter += rng.randrange(0, 40)
        assert isinstance(admission.admit(wearer.heard(wearer.event())), Admitted)
    assert len(admission._expected) == 3 * WINDOW
    assert len(admission._spent) <= 3 * (SPENT + WINDOW)


def test_a_down_frame_sent_up_is_refused() -> None:
    wearer = Wearer()
    admission, counters = _admission(wearer)
    down = frame.DownSealer(wearer.keys.down).seal(8, 0, bytes(8), b"hello")
    assert admission.admit(wearer.heard(down)) is None
    assert counters.snapshot()["refused_type"] == 1
