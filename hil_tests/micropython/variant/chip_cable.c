// See chip_cable.h.
#include "chip_cable.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "py/mphal.h"
#include "py/runtime.h"

// Small, so that a byte that interrupts is seen soon, and so that nobody is kept waiting by a write of one.
#define CHUNK (64)
// A USB port that nobody reads: the chip waits so long, then drops what it says until somebody reads again.
#define UNREAD_MS (200)
#define ARGUMENTS_MOST (64)
#define ARGUMENTS_SIZE (4096)
// The signal can fall between the interpreter's look and its system call: it is sent until the interpreter has looked.
#define INTERRUPT_AGAIN_MS (5)
#define NO_INTERRUPT (-1)

static bool is_open;
// The host's side, and the far ends of what are now 0 and 1.
static int host_in, host_out, to_chip, from_chip;
static pthread_t interpreter;
// Held while bytes are in the carrier's hand, and nowhere else.
static pthread_mutex_t carrying = PTHREAD_MUTEX_INITIALIZER;
// Held while a byte is looked at, so that an interrupt comes wholly before or wholly after what the interpreter says of
// them, as on a chip, where it has no second thread beside it. One that came a moment after "no more of these" met
// nobody who expected it, and ended the chip's program for good.
static pthread_mutex_t looking = PTHREAD_MUTEX_INITIALIZER;
static int interrupt_byte = NO_INTERRUPT;
static void (*on_interrupt)(void);
static bool nobody_reads;

void __real_mp_hal_set_interrupt_char(char byte);
int __real_mp_hal_stdin_rx_chr(void);

// The linker gives every caller these two in place of the port's (mpconfigvariant.mk).
void __wrap_mp_hal_set_interrupt_char(char byte) {
    if (is_open) {
        pthread_mutex_lock(&looking);
        interrupt_byte = byte == CHAR_CTRL_C ? CHAR_CTRL_C : NO_INTERRUPT;
        pthread_mutex_unlock(&looking);
    } else {
        __real_mp_hal_set_interrupt_char(byte);
    }
}

int __wrap_mp_hal_stdin_rx_chr(void) {
    if (!is_open) {
        return __real_mp_hal_stdin_rx_chr();
    }
    // Bytes as they are, and while none come, timers and interrupts go on.
    unsigned char byte;
    for (;;) {
        struct pollfd readable = { .fd = STDIN_FILENO, .events = POLLIN };
        if (poll(&readable, 1, 20) > 0 && read(STDIN_FILENO, &byte, 1) == 1) {
            return byte;
        }
        mp_handle_pending(true);
    }
}

// Whether the byte is one that interrupts; then it has.
static bool interrupts(uint8_t byte) {
    pthread_mutex_lock(&looking);
    bool does = byte == interrupt_byte;
    if (does) {
        on_interrupt();
        pthread_kill(interpreter, SIGUSR1);
    }
    pthread_mutex_unlock(&looking);
    return does;
}

// Whether the interpreter has not yet met the interrupt.
static bool is_interrupting(void) {
    return MP_STATE_MAIN_THREAD(mp_pending_exception) != MP_OBJ_NULL;
}

static void carry_in(void) {
    uint8_t bytes[CHUNK], kept[CHUNK];
    ssize_t got = read(host_in, bytes, sizeof(bytes)), size = 0;
    if (got <= 0) {
        // The host has gone for good. The chip goes on; nothing comes any more.
        host_in = -1;
        return;
    }
    for (ssize_t i = 0; i < got; i++) {
        if (!interrupts(bytes[i])) {
            kept[size++] = bytes[i];
        }
    }
    // Not blocking: what finds no room is lost, as in a chip's buffer.
    if (size && write(to_chip, kept, size) < 0) {
        return;
    }
}

static void carry_out(void) {
    uint8_t bytes[CHUNK];
    ssize_t got = read(from_chip, bytes, sizeof(bytes));
    if (got <= 0) {
        return;
    }
    struct pollfd writable = { .fd = host_out, .events = POLLOUT };
    int ready = poll(&writable, 1, nobody_reads ? 0 : UNREAD_MS);
    nobody_reads = ready <= 0 || !(writable.revents & POLLOUT);
    if (!nobody_reads && write(host_out, bytes, got) < 0) {
        nobody_reads = true;
    }
}

static void *carry(void *unused) {
    (void)unused;
    for (;;) {
        struct pollfd ends[2] = { { .fd = host_in, .events = POLLIN }, { .fd = from_chip, .events = POLLIN } };
        bool again = is_interrupting();
        int ready = poll(ends, 2, again ? INTERRUPT_AGAIN_MS : -1);
        if (again && is_interrupting()) {
            pthread_kill(interpreter, SIGUSR1);
        }
        if (ready <= 0) {
            continue;
        }
        pthread_mutex_lock(&carrying);
        if (ends[0].revents) {
            carry_in();
        }
        if (ends[1].revents) {
            carry_out();
        }
        pthread_mutex_unlock(&carrying);
    }
    return NULL;
}

static void on_signal(int number) {
    (void)number; // It is there to end a system call with EINTR.
}

static int lay_pipes(void) {
    int in[2], out[2];
    host_in = dup(STDIN_FILENO);
    host_out = dup(STDOUT_FILENO);
    if (host_in < 0 || host_out < 0 || pipe(in) || pipe(out)) {
        return errno;
    }
    to_chip = in[1];
    from_chip = out[0];
    if (dup2(in[0], STDIN_FILENO) < 0 || dup2(out[1], STDOUT_FILENO) < 0) {
        return errno;
    }
    close(in[0]);
    close(out[1]);
    int flags = fcntl(to_chip, F_GETFL);
    return fcntl(to_chip, F_SETFL, flags | O_NONBLOCK) ? errno : 0;
}

int chip_cable_open(void (*interrupt_function)(void)) {
    const char *laid = getenv("PINGAN_CABLE");
    if (laid == NULL || sscanf(laid, "%d,%d,%d,%d", &host_in, &host_out, &to_chip, &from_chip) != 4) {
        int error = lay_pipes();
        if (error) {
            return error;
        }
        char text[64];
        snprintf(text, sizeof(text), "%d,%d,%d,%d", host_in, host_out, to_chip, from_chip);
        setenv("PINGAN_CABLE", text, 1);
    }
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGUSR1, &action, NULL);
    interpreter = pthread_self();
    on_interrupt = interrupt_function;
    is_open = true;
    pthread_t carrier;
    return pthread_create(&carrier, NULL, carry, NULL);
}

void chip_restart(const char *reset, const char *wake, const char *prompt) {
    pthread_mutex_lock(&carrying);
    setenv("PINGAN_RESET", reset, 1);
    setenv("PINGAN_WAKE", wake, 1);
    setenv("PINGAN_PROMPT", prompt, 1);
    static char text[ARGUMENTS_SIZE];
    char *arguments[ARGUMENTS_MOST + 1] = { NULL };
    FILE *own = fopen("/proc/self/cmdline", "r");
    size_t size = own ? fread(text, 1, sizeof(text) - 1, own) : 0, count = 0;
    for (size_t at = 0; at < size && count < ARGUMENTS_MOST; at += strlen(text + at) + 1) {
        arguments[count++] = text + at;
    }
    if (own) {
        fclose(own);
    }
    // What the threads send in the last moment must not meet a process that has not said yet what it means.
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    execv("/proc/self/exe", arguments);
    _exit(127);
}
