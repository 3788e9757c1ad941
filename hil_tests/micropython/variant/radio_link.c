// See radio_link.h.
#include "radio_link.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define REPLY (0x80)
#define REPLY_WITHIN_S (5)
// How long the interpreter may sit in poll() with an event waiting before it is signalled again: the first signal can
// fall between its look at the scheduler and its poll().
#define WAKE_AGAIN_MS (2)

static int link_fd = -1;
static pthread_t receiver, interpreter;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t replied;
static radio_frame_t *first, *last, *reply_frame;
static bool gone;
static void (*wake_interpreter)(void);

static bool write_all(const uint8_t *data, size_t size) {
    while (size) {
        ssize_t sent = send(link_fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0) {
            return false;
        }
        data += sent;
        size -= sent;
    }
    return true;
}

static bool read_all(uint8_t *data, size_t size) {
    while (size) {
        ssize_t got = recv(link_fd, data, size, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        data += got;
        size -= got;
    }
    return true;
}

static radio_frame_t *read_frame(void) {
    uint8_t head[3];
    if (!read_all(head, sizeof(head))) {
        return NULL;
    }
    size_t size = (head[0] | head[1] << 8) - 1;
    radio_frame_t *frame = malloc(sizeof(radio_frame_t) + size);
    if (frame == NULL) {
        return NULL;
    }
    frame->next = NULL;
    frame->size = size;
    frame->code = head[2];
    if (!read_all(frame->payload, size)) {
        free(frame);
        return NULL;
    }
    return frame;
}

static bool events_wait(void) {
    pthread_mutex_lock(&lock);
    bool waits = first != NULL;
    pthread_mutex_unlock(&lock);
    return waits;
}

// Blocks until there is something to read; meanwhile reminds the interpreter of what waits for it.
static void wait_readable(void) {
    struct pollfd readable = { .fd = link_fd, .events = POLLIN };
    for (;;) {
        bool waits = events_wait();
        if (waits) {
            wake_interpreter();
            pthread_kill(interpreter, SIGUSR2);
        }
        int ready = poll(&readable, 1, waits ? WAKE_AGAIN_MS : -1);
        if (ready > 0 || (ready < 0 && errno != EINTR)) {
            return;
        }
    }
}

static void enqueue(radio_frame_t *frame) {
    pthread_mutex_lock(&lock);
    if (frame->code == REPLY) {
        free(reply_frame);
        reply_frame = frame;
        pthread_cond_signal(&replied);
    } else {
        *(last ? &last->next : &first) = frame;
        last = frame;
    }
    pthread_mutex_unlock(&lock);
}

static void *receive(void *unused) {
    (void)unused;
    for (;;) {
        wait_readable();
        radio_frame_t *frame = read_frame();
        if (frame == NULL) {
            break;
        }
        enqueue(frame);
    }
    pthread_mutex_lock(&lock);
    gone = true;
    pthread_cond_signal(&replied);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void on_signal(int number) {
    (void)number; // It is there to end poll() with EINTR.
}

static int connect_radio(void) {
    const char *path = getenv("PINGAN_RADIO");
    if (path == NULL) {
        return ENODEV;
    }
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(address.sun_path)) {
        return ENAMETOOLONG;
    }
    strcpy(address.sun_path, path);
    link_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (link_fd < 0) {
        return errno;
    }
    if (connect(link_fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
        return 0;
    }
    int error = errno;
    close(link_fd);
    link_fd = -1;
    return error;
}

static bool say_who(void) {
    const char *name = getenv("PINGAN_RADIO_NAME");
    char hello[128];
    int size = snprintf(hello, sizeof(hello), "wearable %s\n", name ? name : "unnamed");
    return size < (int)sizeof(hello) && write_all((const uint8_t *)hello, size);
}

int radio_link_open(void (*wake)(void)) {
    int error = connect_radio();
    if (error) {
        return error;
    }
    gone = false;
    wake_interpreter = wake;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&replied, &monotonic);
    struct sigaction action = { .sa_handler = on_signal }; // without SA_RESTART
    sigaction(SIGUSR2, &action, NULL);
    interpreter = pthread_self();
    if (!say_who() || pthread_create(&receiver, NULL, receive, NULL) != 0) {
        close(link_fd);
        link_fd = -1;
        return EIO;
    }
    return 0;
}

void radio_link_close(void) {
    if (link_fd < 0) {
        return;
    }
    shutdown(link_fd, SHUT_RDWR);
    pthread_join(receiver, NULL);
    close(link_fd);
    link_fd = -1;
    for (radio_frame_t *frame; (frame = radio_link_next()) != NULL;) {
        free(frame);
    }
}

bool radio_link_is_open(void) {
    return link_fd >= 0;
}

int radio_link_send(uint8_t code, const void *head, size_t head_size, const void *body, size_t body_size) {
    uint8_t frame[3 + RADIO_PAYLOAD_MAX];
    size_t size = head_size + body_size;
    if (link_fd < 0 || gone) {
        return ENODEV;
    }
    if (size > RADIO_PAYLOAD_MAX) {
        return EMSGSIZE;
    }
    frame[0] = (size + 1) & 0xFF;
    frame[1] = (size + 1) >> 8;
    frame[2] = code;
    if (head_size) {
        memcpy(frame + 3, head, head_size);
    }
    if (body_size) {
        memcpy(frame + 3 + head_size, body, body_size);
    }
    return write_all(frame, 3 + size) ? 0 : EIO;
}

static radio_frame_t *wait_reply(void) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += REPLY_WITHIN_S;
    pthread_mutex_lock(&lock);
    int late = 0;
    while (reply_frame == NULL && !gone && !late) {
        late = pthread_cond_timedwait(&replied, &lock, &until);
    }
    radio_frame_t *frame = reply_frame;
    reply_frame = NULL;
    pthread_mutex_unlock(&lock);
    return frame;
}

int radio_link_ask(uint8_t code, const void *payload, size_t size, uint8_t *reply, size_t room, size_t *reply_size) {
    int error = radio_link_send(code, payload, size, NULL, 0);
    if (error) {
        return error;
    }
    radio_frame_t *frame = wait_reply();
    if (frame == NULL || frame->size < 1) {
        free(frame);
        return ETIMEDOUT;
    }
    error = frame->payload[0];
    size_t have = frame->size - 1;
    if (have > room) {
        have = room;
    }
    if (have) {
        memcpy(reply, frame->payload + 1, have);
    }
    if (reply_size) {
        *reply_size = have;
    }
    free(frame);
    return error;
}

radio_frame_t *radio_link_next(void) {
    pthread_mutex_lock(&lock);
    radio_frame_t *frame = first;
    if (frame) {
        first = frame->next;
        if (first == NULL) {
            last = NULL;
        }
    }
    pthread_mutex_unlock(&lock);
    return frame;
}
