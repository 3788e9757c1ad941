# Variant of the unix port for the wearable on the bench. The builder (hil_tests/micropython/build.py) gives
# MBEDTLS_INCLUDE and MBEDTLS_ARCHIVE: cryptolib.aes comes from mbed TLS, as on the boards.
PROG ?= micropython-pingan

FROZEN_MANIFEST ?= $(VARIANT_DIR)/manifest.py

MICROPY_PY_SSL = 0
MICROPY_PY_BTREE = 0
MICROPY_PY_FFI = 0

CFLAGS += -I$(MBEDTLS_INCLUDE)
LDFLAGS += $(MBEDTLS_ARCHIVE)

# The chip's prompt (modchip.c): the unix port has none of its own that mpremote could talk to.
SHARED_SRC_C_EXTRA += runtime/pyexec.c
LDFLAGS += -Wl,--wrap=mp_hal_set_interrupt_char,--wrap=mp_hal_stdin_rx_chr
