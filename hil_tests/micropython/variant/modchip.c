// Module `chip`: what a chip has and a process has not - a prompt on its cable, a restart, a watchdog, and a world that
// interrupts. The modules `machine` and `esp32` of the bench's chip (hil_tests/board/chip) are made of it.
// Owns the order of a start, as ports/esp32/main.c has it. Must not know files, flash (chip_partition.c) nor pins.
//
// The prompt is MicroPython's own, raw REPL and raw paste included: shared/runtime/pyexec.c, which the unix port leaves out.
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "py/gc.h"
#include "py/mphal.h"
#include "py/mperrno.h"
#include "py/runtime.h"
#include "extmod/modbluetooth.h"
#include "shared/readline/readline.h"
#include "shared/runtime/pyexec.h"
#include "chip_cable.h"

#define NOT_FED_YET (0)

static int world_fd = -1;
static int world_period_ms;
static pthread_t interpreter;
static volatile bool world_waits;
static volatile uint64_t dog_ends_ms = NOT_FED_YET;
static uint64_t dog_ms;

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

// ---- the prompt ----

static const char *prompt_name(void) {
    return pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? "raw" : "friendly";
}

// chip.run(raw): boot.py, main.py, then the prompt for ever. Does not return: a soft reset is a new process.
static mp_obj_t chip_run(mp_obj_t raw) {
    // As after power-on: nothing of what started us is in the prompt's names.
    mp_obj_dict_init(&MP_STATE_VM(dict_main), 1);
    mp_obj_dict_store(MP_OBJ_FROM_PTR(&MP_STATE_VM(dict_main)), MP_OBJ_NEW_QSTR(MP_QSTR___name__), MP_OBJ_NEW_QSTR(MP_QSTR___main__));
    mp_globals_set(&MP_STATE_VM(dict_main));
    mp_locals_set(&MP_STATE_VM(dict_main));
    readline_init0();
    pyexec_mode_kind = mp_obj_is_true(raw) ? PYEXEC_MODE_RAW_REPL : PYEXEC_MODE_FRIENDLY_REPL;
    int ended = pyexec_file_if_exists("boot.py");
    if (!(ended & PYEXEC_FORCED_EXIT) && pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL && ended != 0) {
        ended = pyexec_file_if_exists("main.py");
    }
    while (!(ended & PYEXEC_FORCED_EXIT)) {
        ended = pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl() : pyexec_friendly_repl();
    }
    // As on a board: connections end, and files that are open close.
    mp_sched_lock();
    mp_bluetooth_deinit();
    gc_sweep_all();
    mp_hal_stdout_tx_str("MPY: soft reboot\r\n");
    chip_restart("soft", "none", prompt_name());
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(chip_run_obj, chip_run);

// chip.restart(reset, wake): the words are those of PINGAN_RESET and PINGAN_WAKE. Does not return.
static mp_obj_t chip_restart_now(mp_obj_t reset, mp_obj_t wake) {
    chip_restart(mp_obj_str_get_str(reset), mp_obj_str_get_str(wake), "friendly");
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(chip_restart_obj, chip_restart_now);

static mp_obj_t chip_open_cable(void) {
    int error = chip_cable_open(mp_sched_keyboard_interrupt);
    if (error) {
        mp_raise_OSError(error);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(chip_open_cable_obj, chip_open_cable);

// ---- the world outside, and the watchdog ----

static void run_world(mp_sched_node_t *node) {
    (void)node;
    mp_call_function_1_protected(MP_STATE_VM(chip_world), mp_const_none);
    world_waits = false;
}

static mp_sched_node_t world_node;

static void *watch_world(void *unused) {
    (void)unused;
    for (;;) {
        struct pollfd readable = { .fd = world_fd, .events = POLLIN };
        // What was told of and not yet looked at is not told of again.
        poll(&readable, world_waits ? 0 : 1, world_waits ? 1 : world_period_ms);
        if (dog_ends_ms != NOT_FED_YET && now_ms() > dog_ends_ms) {
            chip_restart("watchdog", "none", "friendly");
        }
        if (!world_waits) {
            world_waits = true;
            mp_sched_schedule_node(&world_node, run_world);
            pthread_kill(interpreter, SIGUSR1);
        }
    }
    return NULL;
}

// chip.world(function, period_ms, fd): function(None) in scheduler context each period and when fd is readable (-1: none).
static mp_obj_t chip_world(mp_obj_t function, mp_obj_t period_ms, mp_obj_t fd) {
    MP_STATE_VM(chip_world) = function;
    world_period_ms = mp_obj_get_int(period_ms);
    world_fd = mp_obj_get_int(fd);
    interpreter = pthread_self();
    pthread_t watcher;
    int error = pthread_create(&watcher, NULL, watch_world, NULL);
    if (error) {
        mp_raise_OSError(error);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(chip_world_obj, chip_world);

// chip.watchdog(ms): a restart unless it is called again within that time. chip.world() must have been called.
static mp_obj_t chip_watchdog(mp_obj_t within_ms) {
    dog_ms = mp_obj_get_int(within_ms);
    dog_ends_ms = now_ms() + dog_ms;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(chip_watchdog_obj, chip_watchdog);

extern const mp_obj_type_t chip_partition_type;

static const mp_rom_map_elem_t chip_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_chip) },
    { MP_ROM_QSTR(MP_QSTR_open_cable), MP_ROM_PTR(&chip_open_cable_obj) },
    { MP_ROM_QSTR(MP_QSTR_run), MP_ROM_PTR(&chip_run_obj) },
    { MP_ROM_QSTR(MP_QSTR_restart), MP_ROM_PTR(&chip_restart_obj) },
    { MP_ROM_QSTR(MP_QSTR_world), MP_ROM_PTR(&chip_world_obj) },
    { MP_ROM_QSTR(MP_QSTR_watchdog), MP_ROM_PTR(&chip_watchdog_obj) },
    { MP_ROM_QSTR(MP_QSTR_Partition), MP_ROM_PTR(&chip_partition_type) },
};
static MP_DEFINE_CONST_DICT(chip_globals, chip_globals_table);

const mp_obj_module_t chip_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&chip_globals,
};

MP_REGISTER_MODULE(MP_QSTR_chip, chip_module);
MP_REGISTER_ROOT_POINTER(mp_obj_t chip_world);
