"""Boxes, settings, prompts, trails: round trips, and what is not of the layout, on CPython."""

from __future__ import annotations

import pytest

from protocol import box, codes, keys, settings, watchful
from protocol.messages import Heartbeat, NotUnderstood, pack_activity, pack_heartbeat, pack_tlv

TEST_ONLY_ROOT = b"test_only_root_9"
SALT = bytes(range(8))


def _box(purpose: int = box.TRAIL) -> bytes:
    return box.seal(keys.derive(TEST_ONLY_ROOT).trail, purpose, 7, SALT, b"where somebody was")


def test_a_box_opens_under_its_key_for_its_purpose_only() -> None:
    trail = keys.derive(TEST_ONLY_ROOT).trail
    assert box.sequence(_box()) == 7
    assert box.opened(trail, box.TRAIL, _box()) == b"where somebody was"
    assert box.opened(trail, box.SETTINGS, _box()) is None
    assert box.opened(trail, box.TRAIL, bytes([box.TRAIL]) + _box(box.SETTINGS)[1:]) is None
    assert box.opened(keys.derive(TEST_ONLY_ROOT).up, box.TRAIL, _box()) is None


def test_no_bit_of_a_box_can_be_changed() -> None:
    trail = keys.derive(TEST_ONLY_ROOT).trail
    for at in range(len(_box()) * 8):
        changed = bytearray(_box())
        changed[at // 8] ^= 1 << at % 8
        assert box.opened(trail, box.TRAIL, changed) is None


@pytest.mark.parametrize("size", range(box.OVERHEAD))
def test_what_is_too_short_is_no_box(size: int) -> None:
    assert box.opened(keys.derive(TEST_ONLY_ROOT).trail, box.TRAIL, _box()[:size]) is None
    assert box.sequence(_box()[:size]) == -1


def test_the_care_key_is_none_of_the_others() -> None:
    of = keys.derive(TEST_ONLY_ROOT)
    assert box.care_key(of.down) not in (of.up, of.down, of.id, of.trail)
    assert len(box.care_key(of.down)) == 16


def _settings() -> settings.Settings:
    made = settings.Settings()
    made.kind, made.language, made.short_press = settings.CHILD, settings.ENGLISH, codes.SERVICE_CALL_ME
    made.fences = [settings.Fence(n, settings.FENCE_SCHOOL, -22_578_000 + n, 113_081_000, 150) for n in range(1, 16)]
    made.moving_s, made.still_s, made.floor_percent = 300, 1800, 15
    made.falls, made.countdown_s, made.offset_minutes = settings.FALLS_SENSITIVE, 45, -210
    made.heartbeat_s = 900
    return made


def test_settings_come_back_as_they_went() -> None:
    made = _settings()
    read = settings.unpack(made.pack())
    assert [vars(fence) for fence in read.fences] == [vars(fence) for fence in made.fences]
    assert {**vars(read), "fences": 0} == {**vars(made), "fences": 0}
    assert vars(settings.unpack(b"")) == vars(settings.Settings())
    assert vars(settings.unpack(b"\x99\x02ab")) == vars(settings.Settings())


def test_settings_that_are_cut_are_refused() -> None:
    packed = settings.Settings().pack()
    whole = {0, 3, 6, 9, 16, 20, 24, len(packed)}
    for size in range(len(packed) + 1):
        if size in whole:
            settings.unpack(packed[:size])
        else:
            with pytest.raises(NotUnderstood):
                settings.unpack(packed[:size])
    with pytest.raises(NotUnderstood):
        settings.unpack(b"\x04\x02ab")


@pytest.mark.parametrize("language", [settings.ENGLISH + 1, 255])
def test_a_language_that_nobody_has_words_for_is_chinese(language: int) -> None:
    whole = _settings()
    whole.language = language
    found = settings.unpack(whole.pack())
    assert found.language == settings.CHINESE
    assert found.short_press == whole.short_press


def test_the_largest_settings_fit_into_the_parts_there_are() -> None:
    sealed = box.seal(keys.derive(TEST_ONLY_ROOT).trail, box.SETTINGS, 3, SALT, _settings().pack())
    read = [watchful.Part(part) for part in watchful.parts(3, sealed)]
    assert [(part.version, part.index, part.count) for part in read] == [(3, i, len(read)) for i in range(len(read))]
    assert b"".join(part.data for part in read) == sealed
    with pytest.raises(ValueError, match="at most"):
        watchful.parts(3, bytes(watchful.PARTS_MOST * watchful.PART_MOST + 1))
    for bad in (b"", bytes(5), b"\0\0\0\1\1\1", b"\0\0\0\1\0\5"):
        with pytest.raises(NotUnderstood):
            watchful.Part(bad)


def test_prompt_time_trail_and_taken_come_back_as_they_went() -> None:
    prompt = watchful.Prompt(watchful.pack_prompt(0xABCD, codes.PROMPT_MEDICINE, 600, 2))
    assert vars(prompt) == {"number": 0xABCD, "kind": codes.PROMPT_MEDICINE, "within_s": 600, "text": 2}
    for offset in (480, 0, -210):
        time = watchful.Time(watchful.pack_time(1_795_000_000, offset))
        assert (time.unix_s, time.offset_minutes) == (1_795_000_000, offset)
    trail = watchful.Trail(watchful.pack_trail(0x00000C, _box()))
    assert (trail.number, trail.box) == (12, _box())
    assert watchful.Taken(watchful.pack_taken(0xFFFFFFFF)).sequence == 0xFFFFFFFF


@pytest.mark.parametrize(
    ("read", "size"), [(watchful.Prompt, 5), (watchful.Time, 5), (watchful.Trail, 3), (watchful.Taken, 3)]
)
def test_a_body_that_is_too_short_is_not_understood(read: type, size: int) -> None:
    with pytest.raises(NotUnderstood):
        read(bytes(size))


def test_a_heartbeat_tells_activity_and_settings_where_it_has_them() -> None:
    body = pack_heartbeat(1, 4000, 80, 50_000, (1, 0, 0), 1, 0, codes.HEARTBEAT_WANTS_TIME)
    plain = Heartbeat(body)
    assert (plain.worn, plain.steps, plain.still_minutes, plain.settings) == (codes.WORN_UNKNOWN, -1, -1, -1)
    assert plain.wants_time
    buf = bytearray(20)
    size = pack_tlv(buf, 0, codes.TLV_ACTIVITY, pack_activity(codes.NOT_WORN, 70_000, 70_000))
    size += pack_tlv(buf, size, codes.TLV_SETTINGS, (9).to_bytes(4, "big"))
    said = Heartbeat(body + buf[:size])
    assert (said.worn, said.steps, said.still_minutes, said.settings) == (codes.NOT_WORN, 70_000 - 65_536, 65_535, 9)
    cut = Heartbeat(body + buf[: size - 1])
    assert (cut.worn, cut.steps, cut.settings, cut.uptime_s) == (codes.WORN_UNKNOWN, -1, -1, 1)
