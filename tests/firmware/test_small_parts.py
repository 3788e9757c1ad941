"""Battery, heartbeat, power, commands, CRC, what RTC memory keeps, identity. Runs under both Pythons."""

from binascii import crc32

from firmware.sos import battery, commands, crc, heartbeat, identity, kept, power, stages
from firmware.sos.ledger import SIZE as LEDGER_SIZE
from protocol import codes, keys
from protocol.messages import Command, pack_command


def test_crc_is_zlibs():
    data = bytearray(b"\x00\xff123456789abc" * 9)
    for end in range(len(data) - 4):
        copy = bytearray(data)
        crc.write(copy, 0, end, end)
        assert bytes(copy[end : end + 4]) == (crc32(bytes(data[:end])) & 0xFFFFFFFF).to_bytes(4, "little")
        assert crc.holds(copy, 0, end, end)
        if end:
            copy[end // 2] ^= 4
            assert not crc.holds(copy, 0, end, end)


def test_percent_rises_with_voltage_from_empty_to_full():
    percents = [battery.percent_of(mv) for mv in range(3000, 4300, 5)]
    assert percents[0] == 0 and percents[-1] == 100 and percents == sorted(percents)
    assert battery.percent_of(0) == battery.UNKNOWN


def falling(levels):
    cell = battery.Battery()
    events = []
    for mv in levels:
        for _ in range(60):  # readings are smoothed
            kind = cell.measured(mv)
            if kind:
                events.append(kind)
    return events


def test_low_and_critical_are_told_once_each_and_ok_only_well_above():
    low, critical, ok = battery.BATTERY_LOW, battery.BATTERY_CRITICAL, battery.BATTERY_OK
    assert falling(range(4150, 3300, -10)) == [low, critical]
    assert falling([3680, 3700, 3680, 3700, 3680]) == [low], "no flapping around the threshold"
    assert falling([3550, 3700, 3550]) == [critical]
    assert falling([3550, 4100, 3680]) == [critical, ok, low]
    assert falling([0, 0]) == []


def test_a_radio_burst_does_not_make_a_battery_low():
    cell = battery.Battery()
    cell.measured(3780)
    assert cell.measured(3500) == 0


def test_a_heartbeat_is_due_at_once_then_every_half_hour_and_tried_three_times():
    beat = heartbeat.Heartbeat(1800000)
    sent = [ms for ms in range(0, 3600000, 1000) if beat.begin(ms)]
    assert sent == [0, 10000, 20000, 1800000, 1810000, 1820000]


def test_an_answered_heartbeat_is_not_sent_again():
    beat = heartbeat.Heartbeat(1800000)
    assert beat.begin(0)
    beat.sent(41)
    beat.answered(40)
    assert beat.waits
    beat.answered(41)
    assert not beat.waits
    assert [ms for ms in range(1000, 1805000, 1000) if beat.begin(ms)] == [1800000]


def test_news_are_a_heartbeat_at_once_which_no_answer_to_an_earlier_one_takes_away():
    beat = heartbeat.Heartbeat(1800000)
    assert beat.begin(0)
    beat.sent(41)
    beat.anew(500)
    beat.answered(41)
    assert [ms for ms in range(500, 1805000, 500) if beat.begin(ms)][:4] == [500, 10500, 20500, 1800500]
    beat = heartbeat.Heartbeat(1800000)
    assert [ms for ms in (0, 10000, 20000) if beat.begin(ms)] == [0, 10000, 20000]
    beat.anew(25000)
    assert beat.begin(25000), "nor that nobody answered the earlier one"


def test_sleep_is_worth_it_only_for_long_and_not_within_an_exchange():
    assert power.sleep_ms(20000, 50000, 0) == 30000
    assert power.sleep_ms(20000, 22900, 0) == 0, "too short"
    assert power.sleep_ms(20000, 26000, 18000) == 0, "the next burst needs this address"
    assert power.sleep_ms(20000, 10**8, 0) == power.SLEEP_MOST_MS


def test_a_command_is_done_once_and_answered_each_time():
    done = []
    fails = []

    def action(args, way):
        done.append((args, way))
        return not fails

    todo = commands.Commands({codes.COMMAND_LOCATE: action})

    def take(number, code, args=b""):
        return todo.take(Command(pack_command(number, code, args)), "way")

    assert take(1, codes.COMMAND_LOCATE, b"\x05") == codes.RESULT_DONE
    assert take(1, codes.COMMAND_LOCATE, b"\x05") == codes.RESULT_DONE
    assert done == [(b"\x05", "way")]
    fails.append(True)
    assert take(2, codes.COMMAND_LOCATE) == take(2, codes.COMMAND_LOCATE) == codes.RESULT_FAILED
    assert len(done) == 3, "what failed may be retried"
    for number in range(3, 8):
        assert take(number, 99) == codes.RESULT_UNKNOWN
    assert take(1, codes.COMMAND_LOCATE) == codes.RESULT_DONE and len(done) == 3


def a_record():
    record = kept.Kept(77, 123456789012, 4000, -5000, stages.NO_PATH, 9, 10**12, 1)
    record.slots = [(i, 1000 * i, 10**12 + i, -i, i % 2) for i in range(16)]
    record.ledger = bytes(i & 0xFF for i in range(LEDGER_SIZE))
    record.identity = bytes(range(identity.SIZE))
    return record


def test_what_is_kept_comes_back_whole_or_not_at_all():
    record = a_record()
    record.asked = (2, 65535, 7, 10**12, -5, 10**12 + 9)
    record.clock = (4102444800, 86400, -570)
    record.parts = bytes([0, 40]) + bytes(range(40)) + bytes([2, 1, 9])
    packed = record.pack()
    assert len(packed) <= 1536
    again = kept.unpack(packed)
    assert (again.asked, again.clock) == (record.asked, record.clock)
    assert again.parts == record.parts + bytes(kept.PARTS_SIZE - len(record.parts))
    assert again.pack() == packed
    assert (again.counter, again.heartbeat_due, again.stage_began) == (77, -5000, 10**12)
    assert again.slots[3] == (3, 3000, 10**12 + 3, -3, 1)
    for at in range(0, len(packed), 7):
        torn = bytearray(packed)
        torn[at] ^= 1
        assert kept.unpack(bytes(torn)) is None, at
    assert kept.unpack(b"") is None and kept.unpack(packed[:-1]) is None
    assert kept.is_fault(kept.fault_note(packed)) and kept.unpack(kept.fault_note(packed)) is None
    assert kept.fault_note(packed) == kept.fault_note(b"")


def test_what_flash_did_not_take_comes_back_whole_or_not_at_all_and_a_fault_keeps_it():
    ledger, who = a_record().ledger, a_record().identity
    packed = kept.pack_saved(ledger, who)
    for record in (packed, kept.fault_note(packed), kept.fault_note(kept.fault_note(packed))):
        again = kept.unpack_saved(record)
        assert (again.ledger, again.identity) == (ledger, who)
    assert not kept.is_fault(packed) and kept.is_fault(kept.fault_note(packed))
    assert kept.unpack(packed) is None and kept.unpack_saved(a_record().pack()) is None
    for at in range(0, len(packed), 7):
        torn = bytearray(packed)
        torn[at] ^= 1
        assert kept.unpack_saved(bytes(torn)) is None, at
    assert len(kept.fault_note(packed)) <= 1024


def test_an_identity_is_whole_or_refused():
    record = identity.pack(keys.derive(b"test_only_root_2"))
    found = identity.unpack(record)
    assert found.up == keys.derive(b"test_only_root_2").up and len(record) == identity.SIZE
    for at in range(len(record)):
        torn = bytearray(record)
        torn[at] ^= 0x10
        try:
            identity.unpack(bytes(torn))
            raise AssertionError(at)
        except identity.NotProvisioned:
            pass
