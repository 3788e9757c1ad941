// The socket to the bench's radio process (hil_tests/radio): frames out, replies and events in.
// Owns the socket, the receiving thread and the queue of events. Must not know what Bluetooth is.
//
// Every frame, both ways: size of what follows (u16 little endian) | code (u8) | payload. The codes are listed in
// hil_tests/radio/wire.py, which is the other end of this file.
#ifndef PINGAN_RADIO_LINK_H
#define PINGAN_RADIO_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RADIO_PAYLOAD_MAX (1024)

typedef struct _radio_frame_t {
    struct _radio_frame_t *next;
    uint16_t size; // of the payload
    uint8_t code;
    uint8_t payload[];
} radio_frame_t;

// Connects to $PINGAN_RADIO and says who we are ($PINGAN_RADIO_NAME). `wake` is called from the receiving thread,
// again and again until radio_link_next() has found the queue empty. Returns 0 or an errno.
int radio_link_open(void (*wake)(void));
void radio_link_close(void);
bool radio_link_is_open(void);

// Sends one frame whose payload is `head` then `body`; takes no MicroPython heap. Returns 0 or an errno.
int radio_link_send(uint8_t code, const void *head, size_t head_size, const void *body, size_t body_size);

// Sends a command and waits for its reply (at most 5 s). Copies up to `room` bytes of the reply after its errno.
int radio_link_ask(uint8_t code, const void *payload, size_t size, uint8_t *reply, size_t room, size_t *reply_size);

// The oldest waiting event, to be freed with free(); NULL when there is none.
radio_frame_t *radio_link_next(void);

#endif
