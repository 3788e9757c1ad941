// The port layer below MicroPython's own extmod/modbluetooth.c: a peripheral whose controller is the bench's radio.
// Owns the attribute values (in the MicroPython heap, as NimBLE's bindings keep them) and the translation of calls and
// events. Must not know sockets (radio_link.c), the air (hil_tests/radio) or the application.
//
// Behaviour follows extmod/nimble/modbluetooth_nimble.c where an application can see a difference: errors, truncation
// of writes to the buffer's size, addresses. Advertising and notifying hand over and return, as on a board: they wait
// for nothing and take no heap.
#include "py/runtime.h"
#include "py/mperrno.h"

#if MICROPY_PY_BLUETOOTH

#include "extmod/modbluetooth.h"
#include "radio_link.h"

#include <stdlib.h>
#include <string.h>

enum { // Commands to the radio. Those marked ? are replied to: errno (u8), then what is said here.
    CMD_INIT = 0x01, // ? mtu u16 -> address type, address
    CMD_DEINIT = 0x02, // ?
    CMD_ADVERTISE = 0x03, // connectable u8, interval_us u32, data size u8 or 0xFF, response size u8 or 0xFF, both
    CMD_ADVERTISE_STOP = 0x04,
    CMD_SERVICES_BEGIN = 0x05, // ?
    CMD_SERVICE = 0x06, // ? uuid, characteristics -> handles u16 each
    CMD_SERVICES_END = 0x07, // ?
    CMD_NOTIFY = 0x08, // connection u16, handle u16, operation u8, value
    CMD_UPDATE = 0x09, // handle u16, value: to every subscriber
    CMD_DISCONNECT = 0x0A, // connection u16
    CMD_MTU = 0x0B, // mtu u16
    CMD_NAME = 0x0C, // name
    CMD_ADDRESS_MODE = 0x0D, // ? mode u8 -> address type, address
};
enum { // Events from the radio.
    EVT_CONNECTED = 0x41, // connection u16, address type, address
    EVT_DISCONNECTED = 0x42,
    EVT_WRITE = 0x43, // tag u8 (0: no answer wanted), connection u16, handle u16, value
    EVT_READ = 0x44, // tag u8, connection u16, handle u16
    EVT_MTU = 0x45, // connection u16, mtu u16
    EVT_CONNECTION_UPDATED = 0x46, // connection, interval, latency, timeout, status: u16 each
    EVT_INDICATED = 0x47, // connection u16, handle u16, status u8
};
enum { ANS_WRITE = 0x50, ANS_READ = 0x51 }; // tag u8, ATT error u8 [, value]

#define ATT_ATTRIBUTE_NOT_FOUND (0x0A)
#define ADDRESS_SIZE (6)
#define CONNECTIONS_MOST (64)
#define ADVERTISEMENT_MOST (31)
#define NAME_MOST (31)
#define MTU_DEFAULT (256)

typedef struct _pingan_radio_roots_t {
    mp_gatts_db_t db;
} pingan_radio_roots_t;
#define DB (MP_STATE_PORT(pingan_radio_roots)->db)

static bool active;
static uint64_t connected; // bit n: connection handle n
static uint8_t address_type, address[ADDRESS_SIZE];
static uint8_t name[NAME_MOST];
static size_t name_size;
static uint16_t preferred_mtu = MTU_DEFAULT;

static void put16(uint8_t *at, uint16_t value) {
    at[0] = value & 0xFF;
    at[1] = value >> 8;
}

static uint16_t get16(const uint8_t *at) {
    return at[0] | at[1] << 8;
}

static bool is_connected(uint16_t connection) {
    return connection < CONNECTIONS_MOST && (connected >> connection & 1);
}

// ---- events ----

static void on_connection(const uint8_t *p, bool made) {
    uint64_t bit = (uint64_t)1 << (get16(p) % CONNECTIONS_MOST);
    connected = made ? connected | bit : connected & ~bit;
    uint8_t event = made ? MP_BLUETOOTH_IRQ_CENTRAL_CONNECT : MP_BLUETOOTH_IRQ_CENTRAL_DISCONNECT;
    mp_bluetooth_gap_on_connected_disconnected(event, get16(p), p[2], p + 3);
}

static void on_write(const uint8_t *p, size_t size) {
    uint8_t answer[2] = { p[0], 0 };
    uint16_t handle = get16(p + 3);
    mp_bluetooth_gatts_db_entry_t *entry = mp_bluetooth_gatts_db_lookup(DB, handle);
    if (entry == NULL) {
        answer[1] = ATT_ATTRIBUTE_NOT_FOUND;
    } else {
        size_t offset = entry->append ? entry->data_len : 0;
        entry->data_len = MIN(entry->data_alloc, size - 5 + offset);
        memcpy(entry->data + offset, p + 5, entry->data_len - offset);
        mp_bluetooth_gatts_on_write(get16(p + 1), handle);
    }
    if (p[0]) {
        radio_link_send(ANS_WRITE, answer, sizeof(answer), NULL, 0);
    }
}

static void on_read(const uint8_t *p) {
    uint16_t handle = get16(p + 3);
    uint8_t answer[2] = { p[0], mp_bluetooth_gatts_on_read_request(get16(p + 1), handle) };
    mp_bluetooth_gatts_db_entry_t *entry = mp_bluetooth_gatts_db_lookup(DB, handle);
    if (entry == NULL && answer[1] == 0) {
        answer[1] = ATT_ATTRIBUTE_NOT_FOUND;
    }
    bool granted = answer[1] == 0;
    radio_link_send(ANS_READ, answer, sizeof(answer), granted ? entry->data : NULL, granted ? entry->data_len : 0);
}

static void dispatch(const radio_frame_t *frame) {
    const uint8_t *p = frame->payload;
    switch (frame->code) {
        case EVT_CONNECTED:
        case EVT_DISCONNECTED:
            on_connection(p, frame->code == EVT_CONNECTED);
            break;
        case EVT_WRITE:
            on_write(p, frame->size);
            break;
        case EVT_READ:
            on_read(p);
            break;
        case EVT_MTU:
            mp_bluetooth_gatts_on_mtu_exchanged(get16(p), get16(p + 2));
            break;
        case EVT_CONNECTION_UPDATED:
            mp_bluetooth_gap_on_connection_update(get16(p), get16(p + 2), get16(p + 4), get16(p + 6), get16(p + 8));
            break;
        case EVT_INDICATED:
            mp_bluetooth_gatts_on_indicate_complete(get16(p), get16(p + 2), p[4]);
            break;
    }
}

static void dispatch_waiting(mp_sched_node_t *node) {
    (void)node;
    for (radio_frame_t *frame; (frame = radio_link_next()) != NULL;) {
        if (active) {
            dispatch(frame);
        }
        free(frame);
    }
}

static mp_sched_node_t dispatch_node;

// Called from the receiving thread.
static void schedule_dispatch(void) {
    mp_sched_schedule_node(&dispatch_node, dispatch_waiting);
}

// ---- the stack ----

static int ask(uint8_t code, const void *payload, size_t size) {
    return radio_link_ask(code, payload, size, NULL, 0, NULL);
}

static int ask_address(uint8_t code, const void *payload, size_t size) {
    uint8_t reply[1 + ADDRESS_SIZE];
    size_t reply_size = 0;
    int error = radio_link_ask(code, payload, size, reply, sizeof(reply), &reply_size);
    if (error == 0 && reply_size != sizeof(reply)) {
        error = MP_EIO;
    }
    if (error == 0) {
        address_type = reply[0];
        memcpy(address, reply + 1, ADDRESS_SIZE);
    }
    return error;
}

int mp_bluetooth_init(void) {
    mp_bluetooth_deinit();
    int error = radio_link_open(schedule_dispatch);
    if (error) {
        return error;
    }
    MP_STATE_PORT(pingan_radio_roots) = m_new0(pingan_radio_roots_t, 1);
    mp_bluetooth_gatts_db_create(&DB);
    connected = 0;
    uint8_t mtu[2];
    put16(mtu, preferred_mtu);
    error = ask_address(CMD_INIT, mtu, sizeof(mtu));
    active = error == 0;
    if (error) {
        radio_link_close();
    }
    return error;
}

void mp_bluetooth_deinit(void) {
    if (active) {
        ask(CMD_DEINIT, NULL, 0);
    }
    active = false;
    radio_link_close();
    MP_STATE_PORT(pingan_radio_roots) = NULL;
}

bool mp_bluetooth_is_active(void) {
    return active;
}

static void raise_unless_active(void) {
    if (!active) {
        mp_raise_OSError(MP_ENODEV);
    }
}

void mp_bluetooth_get_current_address(uint8_t *type, uint8_t *out) {
    raise_unless_active();
    *type = address_type;
    memcpy(out, address, ADDRESS_SIZE);
}

void mp_bluetooth_set_address_mode(uint8_t mode) {
    raise_unless_active();
    int error = ask_address(CMD_ADDRESS_MODE, &mode, 1);
    if (error) {
        mp_raise_OSError(error);
    }
}

size_t mp_bluetooth_gap_get_device_name(const uint8_t **out) {
    *out = name;
    return name_size;
}

int mp_bluetooth_gap_set_device_name(const uint8_t *value, size_t size) {
    if (size > NAME_MOST) {
        return MP_EINVAL;
    }
    memcpy(name, value, size);
    name_size = size;
    return active ? radio_link_send(CMD_NAME, value, size, NULL, 0) : 0;
}

int mp_bluetooth_get_preferred_mtu(void) {
    raise_unless_active();
    return preferred_mtu;
}

int mp_bluetooth_set_preferred_mtu(uint16_t mtu) {
    if (!active) {
        return MP_ENODEV;
    }
    if (mtu < 23 || mtu > 527) {
        return MP_EINVAL;
    }
    preferred_mtu = mtu;
    uint8_t payload[2];
    put16(payload, mtu);
    return radio_link_send(CMD_MTU, payload, sizeof(payload), NULL, 0);
}

// ---- advertising and connections ----

int mp_bluetooth_gap_advertise_start(bool connectable, int32_t interval_us, const uint8_t *data, size_t data_size,
    const uint8_t *response, size_t response_size) {
    if (!active) {
        return MP_ENODEV;
    }
    if (data_size > ADVERTISEMENT_MOST || response_size > ADVERTISEMENT_MOST) {
        return MP_EINVAL;
    }
    uint8_t head[7 + ADVERTISEMENT_MOST] = { connectable };
    for (int i = 0; i < 4; i++) {
        head[1 + i] = interval_us >> (8 * i) & 0xFF;
    }
    head[5] = data ? data_size : 0xFF; // 0xFF: as before
    head[6] = response ? response_size : 0xFF;
    if (data) {
        memcpy(head + 7, data, data_size);
    }
    return radio_link_send(CMD_ADVERTISE, head, 7 + (data ? data_size : 0), response, response ? response_size : 0);
}

void mp_bluetooth_gap_advertise_stop(void) {
    if (active) {
        radio_link_send(CMD_ADVERTISE_STOP, NULL, 0, NULL, 0);
    }
}

int mp_bluetooth_gap_disconnect(uint16_t connection) {
    if (!active) {
        return MP_ENODEV;
    }
    if (!is_connected(connection)) {
        return MP_ENOTCONN;
    }
    uint8_t payload[2];
    put16(payload, connection);
    return radio_link_send(CMD_DISCONNECT, payload, sizeof(payload), NULL, 0);
}

// ---- GATT server ----

int mp_bluetooth_gatts_register_service_begin(bool append) {
    if (!active) {
        return MP_ENODEV;
    }
    if (append) {
        return MP_EOPNOTSUPP;
    }
    mp_bluetooth_gatts_db_reset(DB);
    return ask(CMD_SERVICES_BEGIN, NULL, 0);
}

static size_t put_attribute(uint8_t *at, const mp_obj_bluetooth_uuid_t *uuid, uint16_t flags) {
    at[0] = uuid->type; // = its size
    memcpy(at + 1, uuid->data, uuid->type);
    put16(at + 1 + uuid->type, flags);
    return 3 + uuid->type;
}

int mp_bluetooth_gatts_register_service(mp_obj_bluetooth_uuid_t *service_uuid,
    mp_obj_bluetooth_uuid_t **characteristic_uuids, uint16_t *characteristic_flags,
    mp_obj_bluetooth_uuid_t **descriptor_uuids, uint16_t *descriptor_flags, uint8_t *num_descriptors,
    uint16_t *handles, size_t num_characteristics) {
    uint8_t payload[RADIO_PAYLOAD_MAX];
    uint8_t reply[RADIO_PAYLOAD_MAX];
    size_t size = put_attribute(payload, service_uuid, 0), descriptor = 0, count = 0, reply_size = 0;
    payload[size++] = num_characteristics;
    for (size_t i = 0; i < num_characteristics; ++i) {
        size_t most = 20 * (1 + num_descriptors[i]);
        if (size + most > sizeof(payload)) {
            return MP_ENOMEM;
        }
        size += put_attribute(payload + size, characteristic_uuids[i], characteristic_flags[i]);
        payload[size++] = num_descriptors[i];
        for (size_t j = 0; j < num_descriptors[i]; ++j, ++descriptor) {
            size += put_attribute(payload + size, descriptor_uuids[descriptor], descriptor_flags[descriptor]);
        }
        count += 1 + num_descriptors[i];
    }
    int error = radio_link_ask(CMD_SERVICE, payload, size, reply, sizeof(reply), &reply_size);
    if (error || reply_size != 2 * count) {
        return error ? error : MP_EIO;
    }
    for (size_t i = 0; i < count; ++i) {
        handles[i] = get16(reply + 2 * i);
        mp_bluetooth_gatts_db_create_entry(DB, handles[i], MP_BLUETOOTH_DEFAULT_ATTR_LEN);
    }
    return 0;
}

int mp_bluetooth_gatts_register_service_end(void) {
    return ask(CMD_SERVICES_END, NULL, 0);
}

int mp_bluetooth_gatts_read(uint16_t handle, const uint8_t **value, size_t *size) {
    return active ? mp_bluetooth_gatts_db_read(DB, handle, value, size) : MP_ENODEV;
}

int mp_bluetooth_gatts_write(uint16_t handle, const uint8_t *value, size_t size, bool send_update) {
    if (!active) {
        return MP_ENODEV;
    }
    int error = mp_bluetooth_gatts_db_write(DB, handle, value, size);
    if (error || !send_update) {
        return error;
    }
    uint8_t head[2];
    put16(head, handle);
    return radio_link_send(CMD_UPDATE, head, sizeof(head), value, size);
}

int mp_bluetooth_gatts_notify_indicate(uint16_t connection, uint16_t handle, int operation, const uint8_t *value,
    size_t size) {
    if (!active) {
        return MP_ENODEV;
    }
    if (!is_connected(connection)) {
        return MP_ENOTCONN;
    }
    if (value == NULL) {
        int error = mp_bluetooth_gatts_db_read(DB, handle, &value, &size);
        if (error) {
            return error;
        }
    }
    uint8_t head[5];
    put16(head, connection);
    put16(head + 2, handle);
    head[4] = operation;
    return radio_link_send(CMD_NOTIFY, head, sizeof(head), value, size);
}

int mp_bluetooth_gatts_set_buffer(uint16_t handle, size_t size, bool append) {
    return active ? mp_bluetooth_gatts_db_resize(DB, handle, size, append) : MP_ENODEV;
}

MP_REGISTER_ROOT_POINTER(struct _pingan_radio_roots_t *pingan_radio_roots);

#endif // MICROPY_PY_BLUETOOTH
