"""What both real boards share, over a fake chip, on MicroPython (started by test_boards.py)."""

import esp32
import machine
import vfs
from boards import contract, pendant_xiao_esp32c3, watch_t_watch_s3
from drivers import esp32_core
from fake_power import BUTTON, clock, power_off, power_on
from machine import Pin, State

BOTH = (pendant_xiao_esp32c3, watch_t_watch_s3)
# Of the class's docstring in contract.py; test_boards.py compares.
ATTRIBUTES = (
    "name",
    "profile",
    "release",
    "has_led",
    "has_motor",
    "has_display",
    "has_touch",
    "has_gnss",
    "has_accelerometer",
    "debounce_ms",
    "reset_cause",
    "wake_cause",
    "power_epoch",
    "started_ms",
)


def test_each_board_offers_every_name_of_the_contract():
    for module in BOTH:
        board = power_on(module)
        for name in ATTRIBUTES:
            assert hasattr(board, name), (module.__name__, name)
        for name in dir(contract.Board):
            assert name.startswith("__") or callable(getattr(board, name)), (module.__name__, name)


def test_the_numbers_are_the_contracts():
    for name in dir(contract):
        if name.startswith(("RESET_", "WAKE_")) and hasattr(esp32_core, name):
            assert getattr(esp32_core, name) == getattr(contract, name), name
    assert esp32_core._TICK_MS == contract.TICK_MS
    assert esp32_core._RTC_SIZE == contract.RTC_SIZE
    assert esp32_core._READ_SIZE == contract.FLASH_READ_SIZE
    assert esp32_core._PROGRAM_SIZE == contract.FLASH_PROGRAM_SIZE


# ---- time ----


def test_time_runs_on_past_the_wrap_of_the_ticks():
    board = power_on(pendant_xiao_esp32c3)
    ticks = []
    board.on_tick(lambda: ticks.append(1))
    day_ms = 86400000
    step_ms = 1800000
    for n in range(1, 20 * day_ms // step_ms + 1):
        clock().ms += step_ms
        State.timer.callback(State.timer)
        assert board.now_ms() == n * step_ms
    assert ticks


def test_time_is_right_when_it_is_asked_in_the_middle_of_a_new_base():
    board = power_on(pendant_xiao_esp32c3)
    board.on_tick(lambda: None)
    clock().ms = 4000000
    base = board._base
    State.timer.callback(State.timer)
    assert board._base != base
    # What an interrupted now_ms had picked still gives the same time.
    assert board._base_ms[base] + clock().ticks_diff(clock().ticks_ms(), board._base_ticks[base]) == board.now_ms()


def test_the_time_since_power_on_and_the_epoch_outlive_deep_sleep():
    power_off()
    first = power_on(pendant_xiao_esp32c3)
    assert first.started_ms == 0
    clock().ns += 1800000 * 1000000
    second = power_on(pendant_xiao_esp32c3, machine.DEEPSLEEP_RESET)
    assert second.started_ms == 1800000
    assert second.power_epoch == first.power_epoch
    assert second.reset_cause == contract.RESET_DEEP_SLEEP


def test_a_new_battery_is_a_new_epoch_even_when_rtc_memory_kept_its_bytes():
    first = power_on(pendant_xiao_esp32c3)
    first.rtc_store(b"old")
    second = power_on(pendant_xiao_esp32c3)
    assert second.power_epoch != first.power_epoch
    assert second.started_ms == 0
    assert second.rtc_load() == b""


def test_rtc_memory_that_is_spoilt_or_from_the_future_is_a_new_epoch():
    first = power_on(pendant_xiao_esp32c3)
    good = State.rtc
    for i in range(18):
        State.rtc = good[:i] + bytes([good[i] ^ 1]) + good[i + 1 :]
        assert power_on(pendant_xiao_esp32c3, machine.WDT_RESET).rtc_load() == b""
        assert State.rtc != good, i
    State.rtc = good
    clock().ns -= 1000000000
    again = power_on(pendant_xiao_esp32c3, machine.WDT_RESET)
    assert again.started_ms == 0
    assert State.rtc != good
    assert first.started_ms == 0


def test_rtc_memory_keeps_the_applications_bytes_and_no_more_than_promised():
    board = power_on(pendant_xiao_esp32c3)
    board.rtc_store(bytes(range(256)) * 4)
    epoch = board.power_epoch
    assert power_on(pendant_xiao_esp32c3, machine.SOFT_RESET).rtc_load() == bytes(range(256)) * 4
    assert power_on(pendant_xiao_esp32c3, machine.HARD_RESET).power_epoch == epoch
    try:
        board.rtc_store(bytes(1537))
    except ValueError:
        return
    raise AssertionError("1,537 bytes were taken")


def test_each_reset_has_its_cause():
    causes = (
        (machine.PWRON_RESET, contract.RESET_POWER_ON),
        (machine.HARD_RESET, contract.RESET_HARD),
        (machine.SOFT_RESET, contract.RESET_SOFT),
        (machine.WDT_RESET, contract.RESET_WATCHDOG),
        (machine.DEEPSLEEP_RESET, contract.RESET_DEEP_SLEEP),
        (0, contract.RESET_UNKNOWN),
    )
    for port, ours in causes:
        assert power_on(pendant_xiao_esp32c3, port).reset_cause == ours


def test_waiting_ends_by_time_by_a_callback_and_by_serial_bytes():
    board = power_on(pendant_xiao_esp32c3)
    board.on_tick(lambda: None)
    began = clock().ms
    board.wait(50)
    assert clock().ms - began >= 50
    clock().meanwhile = lambda: State.timer.callback(State.timer)
    began = clock().ms
    board.wait(5000)
    assert clock().ms - began < 10
    clock().meanwhile = lambda: Pin.made[BUTTON].drive(1)
    began = clock().ms
    board.wait(5000)
    assert clock().ms - began < 10
    State.uart.waiting = b"x"
    began = clock().ms
    board.wait(5000)
    assert clock().ms == began


def test_the_tick_comes_every_20_ms():
    board = power_on(watch_t_watch_s3)
    board.on_tick(lambda: None)
    assert State.timer.period == 20


# ---- flash, watchdog, reset ----


def test_the_records_partition_is_mounted_and_never_formatted():
    for module in BOTH:
        board = power_on(module)
        esp32.Partition.here = {}
        try:
            board.mount_flash()
        except OSError as error:
            assert error.errno == 19  # noqa: PT017  there is no pytest here
        else:
            raise AssertionError("there was no partition")
        empty = esp32.Partition()
        esp32.Partition.here = {"records": empty}
        before = bytes(empty.data)
        try:
            board.mount_flash()
        except OSError:
            pass
        else:
            raise AssertionError("an unformatted partition was mounted")
        assert bytes(empty.data) == before, "it was written to"
        vfs.VfsLfs2.mkfs(empty, readsize=32, progsize=128)
        folder = board.mount_flash()
        with open(folder + "/kept", "wb") as file:
            file.write(b"kept")
        vfs.umount(folder)
        assert board.mount_flash() == folder
        with open(folder + "/kept", "rb") as file:
            assert file.read() == b"kept"
        vfs.umount(folder)


def test_the_watchdog_is_fed_only_once_it_is_started():
    board = power_on(pendant_xiao_esp32c3)
    board.feed()
    assert State.dog is None
    board.watchdog(8000)
    board.feed()
    assert (State.dog.timeout, State.dog.fed) == (8000, 1)


def test_reset_restarts():
    try:
        power_on(pendant_xiao_esp32c3).reset()
    except machine.Restarted:
        return
    raise AssertionError


def test_a_release_build_says_nothing_on_the_console():
    board = power_on(pendant_xiao_esp32c3)
    said = []
    esp32_core.print = said.append
    board.log("seen")
    board.release = True
    board.log("unseen")
    board.ready("1.0.0")
    del esp32_core.print
    assert said == ["seen"]
