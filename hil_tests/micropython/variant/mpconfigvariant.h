// The wearable's MicroPython on a host: the unix port with the switches of the ESP32 boards' `bluetooth`.
#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

#include "variants/mpconfigvariant_common.h"

// As ports/esp32/mpconfigport.h: events run the handler at once, in scheduler context.
#define MICROPY_PY_BLUETOOTH (1)
#define MICROPY_PY_BLUETOOTH_USE_SYNC_EVENTS (1)
// A wearable is a peripheral only, and its frames are sealed by protocol v1, not by pairing.
#define MICROPY_PY_BLUETOOTH_ENABLE_PAIRING_BONDING (0)
#define MICROPY_PY_BLUETOOTH_ENABLE_CENTRAL_MODE (0)
#define MICROPY_PY_BLUETOOTH_ENABLE_GATT_CLIENT (0)
#define MICROPY_PY_BLUETOOTH_ENABLE_L2CAP_CHANNELS (0)
#define MICROPY_BLUETOOTH_NIMBLE (0)
#define MICROPY_BLUETOOTH_BTSTACK (0)
// A static node can't find the scheduler's queue full.
#define MICROPY_SCHEDULER_STATIC_NODES (1)

// Release boards have ECB and CBC, no CTR.
#define MICROPY_PY_CRYPTOLIB (1)
#define MICROPY_PY_CRYPTOLIB_CTR (0)
#define MICROPY_SSL_MBEDTLS (1)

// The watchdog of the bench and the proofs about memory.
#define MICROPY_PY_MICROPYTHON_HEAP_LOCKED (1)

#define MICROPY_HW_BOARD_NAME "pingan-simulator"
#define MICROPY_HW_MCU_NAME "unix"
