// chip.Partition: esp32.Partition of the ESP32 port over a file that is the flash chip ($PINGAN_FLASH).
// Owns reading the partition table at 0x8000 and the block device. Must not know file systems. Like the chip: a program
// clears bits and sets none, an erase sets all of a block. In C as on a board: a Ctrl-C never falls in the middle.
// $PINGAN_DEAD_FLASH is "first,last", byte addresses: cells there take nothing and say nothing, as worn ones do.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "py/mperrno.h"
#include "py/runtime.h"
#include "extmod/vfs.h"

#define BLOCK_SIZE (4096)
#define TABLE_AT (0x8000)
#define TABLE_SIZE (0xC00)
#define ROW_SIZE (32)
#define ROW_MAGIC (0x50AA) // little endian
#define LABEL_SIZE (16)
#define TYPE_APP (0)
#define TYPE_DATA (1)
#define SUBTYPE_ANY (0xFF)

typedef struct _chip_partition_t {
    mp_obj_base_t base;
    uint32_t offset, size;
    uint8_t type, subtype;
    char label[LABEL_SIZE + 1];
} chip_partition_t;

const mp_obj_type_t chip_partition_type;

static int flash_fd(void) {
    static int fd = -1;
    const char *path = getenv("PINGAN_FLASH");
    if (fd < 0 && path) {
        fd = open(path, O_RDWR | O_CLOEXEC);
    }
    return fd;
}

static uint32_t word_at(const uint8_t *at) {
    return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static void read_flash(uint32_t at, void *buf, size_t size) {
    if (pread(flash_fd(), buf, size, at) != (ssize_t)size) {
        mp_raise_OSError(MP_EIO);
    }
}

static bool is_dead(uint32_t at) {
    unsigned first, last;
    const char *dead = getenv("PINGAN_DEAD_FLASH");
    return dead && sscanf(dead, "%u,%u", &first, &last) == 2 && at >= first && at <= last;
}

static void write_flash(uint32_t at, const void *buf, size_t size) {
    if (is_dead(at)) {
        return;
    }
    if (pwrite(flash_fd(), buf, size, at) != (ssize_t)size) {
        mp_raise_OSError(MP_EIO);
    }
}

// Partition.find(type=TYPE_APP, subtype=0xff, label=None): a list, empty when the table has none or there is no table.
static mp_obj_t partition_find(size_t n_args, const mp_obj_t *positional, mp_map_t *named) {
    enum { ARG_type, ARG_subtype, ARG_label };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_type, MP_ARG_INT, { .u_int = TYPE_APP } },
        { MP_QSTR_subtype, MP_ARG_INT, { .u_int = SUBTYPE_ANY } },
        { MP_QSTR_label, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, positional + 1, named, MP_ARRAY_SIZE(allowed), allowed, args);
    const char *label = args[ARG_label].u_obj == mp_const_none ? NULL : mp_obj_str_get_str(args[ARG_label].u_obj);
    uint8_t table[TABLE_SIZE];
    read_flash(TABLE_AT, table, sizeof(table));
    mp_obj_t list = mp_obj_new_list(0, NULL);
    for (const uint8_t *row = table; row < table + TABLE_SIZE; row += ROW_SIZE) {
        if ((row[0] | row[1] << 8) != ROW_MAGIC) {
            break;
        }
        bool wanted = row[2] == args[ARG_type].u_int
            && (args[ARG_subtype].u_int == SUBTYPE_ANY || row[3] == args[ARG_subtype].u_int)
            && (label == NULL || strncmp(label, (const char *)row + 12, LABEL_SIZE) == 0);
        if (wanted) {
            chip_partition_t *self = mp_obj_malloc(chip_partition_t, &chip_partition_type);
            self->type = row[2];
            self->subtype = row[3];
            self->offset = word_at(row + 4);
            self->size = word_at(row + 8);
            memcpy(self->label, row + 12, LABEL_SIZE);
            self->label[LABEL_SIZE] = 0;
            mp_obj_list_append(list, MP_OBJ_FROM_PTR(self));
        }
    }
    return list;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(partition_find_fun_obj, 1, partition_find);
static MP_DEFINE_CONST_CLASSMETHOD_OBJ(partition_find_obj, MP_ROM_PTR(&partition_find_fun_obj));

static mp_obj_t partition_info(mp_obj_t self_in) {
    chip_partition_t *self = MP_OBJ_TO_PTR(self_in);
    mp_obj_t said[] = {
        MP_OBJ_NEW_SMALL_INT(self->type),
        MP_OBJ_NEW_SMALL_INT(self->subtype),
        mp_obj_new_int_from_uint(self->offset),
        mp_obj_new_int_from_uint(self->size),
        mp_obj_new_str_from_cstr(self->label),
        mp_const_false,
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(said), said);
}
static MP_DEFINE_CONST_FUN_OBJ_1(partition_info_obj, partition_info);

// Where in the flash a block's bytes are. Raises OSError beyond the partition's end, as the chip does.
static uint32_t place(chip_partition_t *self, mp_obj_t block, mp_obj_t offset, size_t size) {
    uint64_t at = (uint64_t)mp_obj_get_int(block) * BLOCK_SIZE + (offset ? mp_obj_get_int(offset) : 0);
    if (at + size > self->size) {
        mp_raise_OSError(MP_EINVAL);
    }
    return self->offset + at;
}

static mp_obj_t partition_readblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, MP_BUFFER_WRITE);
    read_flash(place(MP_OBJ_TO_PTR(args[0]), args[1], n_args > 3 ? args[3] : 0, buf.len), buf.buf, buf.len);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(partition_readblocks_obj, 3, 4, partition_readblocks);

static void erase(uint32_t at, size_t size) {
    uint8_t ones[BLOCK_SIZE];
    memset(ones, 0xFF, sizeof(ones));
    for (size_t done = 0; done < size; done += BLOCK_SIZE) {
        write_flash(at + done, ones, sizeof(ones));
    }
}

static mp_obj_t partition_writeblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, MP_BUFFER_READ);
    uint32_t at = place(MP_OBJ_TO_PTR(args[0]), args[1], n_args > 3 ? args[3] : 0, buf.len);
    if (n_args == 3) {
        erase(at, buf.len);
    }
    const uint8_t *bytes = buf.buf;
    for (size_t done = 0; done < buf.len;) {
        uint8_t there[BLOCK_SIZE];
        size_t size = MIN(buf.len - done, sizeof(there));
        read_flash(at + done, there, size);
        for (size_t i = 0; i < size; i++) {
            there[i] &= bytes[done + i];
        }
        write_flash(at + done, there, size);
        done += size;
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(partition_writeblocks_obj, 3, 4, partition_writeblocks);

static mp_obj_t partition_ioctl(mp_obj_t self_in, mp_obj_t operation, mp_obj_t argument) {
    chip_partition_t *self = MP_OBJ_TO_PTR(self_in);
    switch (mp_obj_get_int(operation)) {
        case MP_BLOCKDEV_IOCTL_BLOCK_COUNT:
            return MP_OBJ_NEW_SMALL_INT(self->size / BLOCK_SIZE);
        case MP_BLOCKDEV_IOCTL_BLOCK_SIZE:
            return MP_OBJ_NEW_SMALL_INT(BLOCK_SIZE);
        case MP_BLOCKDEV_IOCTL_BLOCK_ERASE:
            erase(place(self, argument, 0, BLOCK_SIZE), BLOCK_SIZE);
            return MP_OBJ_NEW_SMALL_INT(0);
        case MP_BLOCKDEV_IOCTL_INIT:
        case MP_BLOCKDEV_IOCTL_DEINIT:
        case MP_BLOCKDEV_IOCTL_SYNC:
            return MP_OBJ_NEW_SMALL_INT(0);
        default:
            return mp_const_none;
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(partition_ioctl_obj, partition_ioctl);

static const mp_rom_map_elem_t partition_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_find), MP_ROM_PTR(&partition_find_obj) },
    { MP_ROM_QSTR(MP_QSTR_info), MP_ROM_PTR(&partition_info_obj) },
    { MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&partition_readblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&partition_writeblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&partition_ioctl_obj) },
    { MP_ROM_QSTR(MP_QSTR_TYPE_APP), MP_ROM_INT(TYPE_APP) },
    { MP_ROM_QSTR(MP_QSTR_TYPE_DATA), MP_ROM_INT(TYPE_DATA) },
};
static MP_DEFINE_CONST_DICT(partition_locals, partition_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(chip_partition_type, MP_QSTR_Partition, MP_TYPE_FLAG_NONE, locals_dict, &partition_locals);
