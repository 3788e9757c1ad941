"""Bodies: what is written is read; what cannot be read is said, never guessed. Runs under both Pythons."""

from protocol import codes, messages


def _event(kind=codes.SOS, number=12, age=12, battery=11, detail=codes.HOLD, more=b""):
    buf = bytearray(messages.EVENT_SIZE)
    assert messages.pack_event(buf, 0, kind, number, age, battery, detail) == len(buf)
    return bytes(buf) + more


def _not_understood(read, body):
    try:
        read(body)
    except messages.NotUnderstood:
        return True
    return False


def test_an_event_comes_back_as_it_was():
    """At the ends of each field."""
    for kind in (0, 1, 0x7F, 255):
        for number in (0, 1, 0xABCDEF, messages.NUMBER_MAX):
            for detail in (0, 2, 15):
                event = messages.Event(_event(kind, number, 36, 14, detail))
                assert (event.kind, event.number, event.detail) == (kind, number, detail)
                assert (event.age_ms, event.battery_percent, event.battery_mv) == (3600, 100, -1)


def test_bits_of_one_field_never_reach_another():
    """Battery and detail share a byte; neither overflows into the other, and an age stays in its two bytes."""
    event = messages.Event(_event(battery=0xF3, detail=0x3F))
    assert event.detail == 15
    assert event.battery_percent == messages.battery_percent(3)


def test_ages_lose_no_more_than_their_unit():
    """0.1 s up to 54 min, 1 min up to 22 days; never older than it was."""
    for age in (0, 1, 99, 100, 101, 59999, 3276799, 3276800, 3600000, 86400000, 32765 * 60000 + 59999):
        told = messages.age_ms(messages.age_code(age))
        unit = 100 if age < 3276800 else 60000
        assert age - unit < told <= age, age


def test_an_age_beyond_the_scale_says_at_least():
    """And the code of "unknown" is reached by no age."""
    for age in (32766 * 60000, 1 << 33, 1 << 40):
        assert messages.age_code(age) == 0xFFFE
    event = messages.Event(_event(age=0xFFFE))
    assert event.age_at_least and event.age_ms == 32766 * 60000
    event = messages.Event(_event(age=codes.AGE_UNKNOWN))
    assert event.age_ms == -1 and not event.age_at_least


def test_every_age_code_is_read_back_to_itself():
    """In steps. 0x8036, 54 min rounded down, is the one whose age would now be written in tenths."""
    for code in list(range(0, 0x8000, 97)) + list(range(0x8037, 0xFFFE, 89)) + [0x7FFF, 0xFFFD, 0xFFFE]:
        assert messages.age_code(messages.age_ms(code)) == code, hex(code)


def test_battery_steps_are_within_four_percent():
    """Fifteen steps, 0 and 100 exact; out of range is unknown."""
    for percent in range(101):
        assert abs(messages.battery_percent(messages.battery_nibble(percent)) - percent) <= 4
    assert messages.battery_percent(messages.battery_nibble(0)) == 0
    assert messages.battery_percent(messages.battery_nibble(100)) == 100
    for percent in (-1, 101, 255):
        assert messages.battery_percent(messages.battery_nibble(percent)) == -1


def test_tlvs_refine_an_event():
    """Millivolts, and the exact age in place of the code."""
    buf = bytearray(16)
    size = messages.pack_tlv(buf, 0, codes.TLV_BATTERY_MV, b"\x0b\x86")
    size += messages.pack_tlv(buf, size, codes.TLV_AGE_MS, b"\x00\x00\x04\xd2")
    event = messages.Event(_event(more=bytes(buf[:size])))
    assert (event.battery_mv, event.age_ms, event.age_resolution_ms) == (2950, 1234, 1)


def test_an_exact_age_counts_before_an_unknown_one():
    """And before one that says at least."""
    for age in (codes.AGE_UNKNOWN, 0xFFFE):
        event = messages.Event(_event(age=age, more=b"\x02\x04\x00\x00\x00\x05"))
        assert event.age_ms == 5 and not event.age_at_least


def test_unknown_tlvs_and_sizes_are_skipped():
    """What a later version adds must not cost the alarm."""
    event = messages.Event(_event(more=b"\xc8\x00" + b"\xc9\x03abc" + b"\x01\x03abc" + b"\x02\x01a"))
    assert (event.number, event.battery_mv, event.age_ms) == (12, -1, 1200)


def test_a_cut_body_is_not_understood():
    """At every size, of every message."""
    event = _event(more=b"\x01\x02\x0b\x86")
    for size in range(len(event)):
        assert _not_understood(messages.Event, event[:size]) == (size != messages.EVENT_SIZE), size
    rows = (
        (messages.Hello, messages.HELLO_SIZE),
        (messages.Heartbeat, messages.HEARTBEAT_SIZE),
        (messages.Answer, messages.ANSWER_SIZE),
        (messages.Command, messages.COMMAND_SIZE),
        (messages.Result, messages.RESULT_SIZE),
    )
    for read, full in rows:
        for size in range(full):
            assert _not_understood(read, bytes(size)), (read, size)
        read(bytes(full))
        read(bytes(full + 9))


def test_a_hello_comes_back_as_it_was():
    """Each flag by itself."""
    for flags in (0, codes.HELLO_HEARTBEAT_WAITS, codes.HELLO_ASKS_STATE, 3):
        buf = bytearray(messages.HELLO_SIZE)
        messages.pack_hello(buf, 0, flags, 0xABCDEF, codes.STORED, 14, 300)
        hello = messages.Hello(bytes(buf))
        assert hello.heartbeat_waits == bool(flags & 1) and hello.asks_state == bool(flags & 2)
        assert (hello.number, hello.stage, hello.battery_percent) == (0xABCDEF, codes.STORED, 100)
        assert hello.open_alarms == 255


def test_a_heartbeat_comes_back_as_it_was():
    """With what is too large for its field held at the field's end."""
    beat = messages.Heartbeat(messages.pack_heartbeat(86400, 2950, 78, 1 << 25, (1, 20, 255), 7, 1000, 1))
    assert (beat.uptime_s, beat.battery_mv, beat.battery_percent) == (86400, 2950, 78)
    assert (beat.heap_free_low, beat.firmware, beat.protocol) == (messages.NUMBER_MAX, "1.20.255", 1)
    assert (beat.reset_cause, beat.open_alarms, beat.flash_failed) == (7, 255, True)
    beat = messages.Heartbeat(messages.pack_heartbeat(0, 0, codes.PERCENT_UNKNOWN, 5, (0, 0, 0), 0, 0, 0))
    assert (beat.battery_percent, beat.heap_free_low, beat.flash_failed) == (-1, 5, False)


def test_a_heartbeat_names_each_part_that_is_out_and_nothing_that_it_does_not_know():
    """By itself, all together, and with bits of a later version."""

    def beat(flags):
        return messages.Heartbeat(messages.pack_heartbeat(0, 0, 0, 0, (0, 0, 0), 0, 0, flags))

    names = [name for name, _ in messages.PARTS]
    assert names == ["screen", "positions", "motion"]
    for name, flag in messages.PARTS:
        told = beat(flag)
        assert (told.parts_out, told.flash_failed, told.wants_time) == ([name], False, False)
    assert beat(0xFF).parts_out == names and beat(0xFF).flash_failed
    assert beat(0xE3).parts_out == []


def test_answers_commands_and_results_come_back():
    """At the ends of their fields."""
    for number in (0, 12, messages.NUMBER_MAX):
        answer = messages.Answer(messages.pack_answer(codes.REFUSED, number, codes.REASON_OTHER))
        assert (answer.stage, answer.number, answer.reason) == (codes.REFUSED, number, codes.REASON_OTHER)
    for command_id in (0, 7, 0xFFFF):
        command = messages.Command(messages.pack_command(command_id, codes.COMMAND_LOCATE, b"\x0a"))
        assert (command.id, command.code, command.args) == (command_id, codes.COMMAND_LOCATE, b"\x0a")
        result = messages.Result(messages.pack_result(command_id, codes.RESULT_FAILED))
        assert (result.id, result.status, result.more) == (command_id, codes.RESULT_FAILED, b"")


def test_what_became_of_a_test_follows_a_result():
    """Number, stage, time; not taken is never told as 0 ms."""
    for number in (0, 13, messages.NUMBER_MAX):
        for took_ms in (-1, 0, 1400, 3276700):
            more = messages.pack_tested(number, codes.ANSWERED, took_ms)
            told = messages.Tested(messages.Result(messages.pack_result(7, codes.RESULT_DONE) + more).more)
            assert (told.number, told.shown, told.took_ms) == (number, codes.ANSWERED, took_ms)
    assert messages.Tested(messages.pack_tested(13, 1, 5) + b"later").number == 13
    assert _not_understood(messages.Tested, messages.pack_tested(13, 1, 5)[:-1])
