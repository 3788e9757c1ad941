"""The board contract: everything the application asks of a board, and nothing else. Documentation of record.

Owns the names and what each promises. Must not know any board, nor the application. It is not staged into an image:
a board file is `board.py` there, offers a class `Board` with the names below and need not inherit from it
(tests/firmware holds every board file to it). main.py makes the one `Board()` and passes it down.

Contexts. MicroPython runs callbacks *in scheduler context*: between two bytecodes of the main loop, one after
another, never inside each other. Whatever is marked "no heap" takes no MicroPython heap: it is on the way from the
button to the radio, which is proved under `micropython.heap_lock()`. Numbers stay small ints on a 32-bit board
(below 2^30) wherever "no heap" is promised. Nothing raises unless it says so: a dead lamp must not stop an alarm.
"""

# How this run of the application came about; also byte 14 of a heartbeat (protocol/README.md section 6.3).
# 1 to 5 are machine.reset_cause() of an ESP32; FAULT is the application's own to say.
RESET_UNKNOWN = 0
RESET_POWER_ON = 1
RESET_HARD = 2
RESET_WATCHDOG = 3
RESET_DEEP_SLEEP = 4
RESET_SOFT = 5
RESET_BROWN_OUT = 6
RESET_FAULT = 7

# What ended a deep sleep.
WAKE_NONE = 0
WAKE_BUTTON = 1
WAKE_TIMER = 2
WAKE_SERIAL = 3
WAKE_TOUCH = 4
WAKE_MOTION = 5

# What the application may keep in RTC memory. The board keeps its own (epoch, start of time) besides.
RTC_SIZE = 1536

# How often the tick callback comes while awake. The button is debounced over one tick.
TICK_MS = 20

# The screen that the application draws on: so many pixels each way, four bits each (framebuf.GS4_HMSB), 16 colours.
SCREEN_SIZE = 240
# How often the accelerometer is read by its own clock, and how many samples it keeps for us meanwhile.
SAMPLES_HZ = 50
SAMPLES_KEPT = 170

# The image has a module `build` besides (tools/image.py): RELEASE, BOARD, FINGERPRINT.

# The data file system is littlefs v2 made and mounted with these: MicroPython then has a cache of 512 bytes, so a file
# of at most 512 bytes lies inside its directory block, and rewriting it is one append and hardly ever an erase.
FLASH_READ_SIZE = 32
FLASH_PROGRAM_SIZE = 128


class Board:
    """One wearable's hardware. Construction brings up pins and clocks and works out why we run.

    It raises only where there would be no button without what failed; main.py then restarts.

    Attributes (all set by construction):
      name            "pendant-xiao-esp32c3"; lower case, for logs and the technician
      profile         "pendant" or "watch"
      release         True in a release build: no REPL, no file access, nothing but frames on the serial line
      has_led, has_motor, has_display     what can be shown; the application shows on everything there is
      has_touch, has_gnss, has_accelerometer      what else there is
      debounce_ms     how long the button's level must hold to be one: 20, or 0 where a chip has seen to that
      reset_cause, wake_cause             RESET_* and WAKE_* above
      power_epoch     0..2^32-1, random, made at power-on and kept in RTC memory: the same as long as time runs on
      started_ms      ms from power-on to the start of this run, deep sleep included (may be a large int)
    """

    # ---- time ----

    def now_ms(self):
        """Ms since this run started, monotonic. No heap during the first 12 days of a run."""

    def wait(self, most_ms):
        """Pause the main loop for up to `most_ms`; callbacks run meanwhile. The only place where it stands still.

        Returns early when a callback ran or serial bytes wait.
        """

    def on_tick(self, callback):
        """Call `callback()` every TICK_MS in scheduler context, from now on. One callback; late ticks may merge."""

    # ---- button ----

    def on_button(self, callback):
        """Call `callback(pressed)` on every edge, not debounced, in scheduler context and as soon as it can be.

        Edges may merge when the contact bounces; then the last call tells the level that holds. A board that is told of
        a press which has come and gone (a power chip, the simulator) tells both edges in a row. One may be lost where
        the interpreter's queue is full: button_pressed() is asked at each tick. One callback.
        """

    def button_pressed(self):
        """The level now. True while held. No heap."""

    # ---- what the wearer sees and feels; all no heap, all return at once ----

    def led(self, rgb):
        """Show 0xRRGGBB; 0 is off. A board with one colour shows any of them as on."""

    def motor(self, on):
        """Vibration on or off."""

    def show(self, stage, number):
        """What the feedback now stands at: sos.stages.* and the event's number (0: none).

        Called in scheduler context. A display notes the two and draws them in wait(); others do nothing.
        """

    def canvas(self):
        """The screen's memory as a framebuf.FrameBuffer (SCREEN_SIZE), always the same; None without a display."""

    def flush(self, palette):
        """Show what the canvas holds, and light it; `palette`: 16 colours 0xRRGGBB. May take 60 ms. None: dark."""

    # ---- what else it feels; all return at once ----

    def touches(self):
        """Where the screen was tapped since the last call: a list of (x, y), at most 8. [] without."""

    def samples(self, buf):
        """Fill `buf`, an array of 'h', with x, y, z in mg, oldest first; return how many triples.

        One each 1/SAMPLES_HZ s; of those that nobody took the last SAMPLES_KEPT are kept, over deep sleep, too.
        Raises OSError when the chip has been silent for so long that stillness must not be concluded from it.
        """

    def watch_motion(self, falls):
        """From now on motion wakes the wearable. `falls`: only what may be a fall; else any that is worth a name."""

    def gnss(self, on):
        """Power the receiver of satellites, or cut it; it keeps its almanac. Nothing without."""

    def gnss_read(self, buf):
        """Read what the receiver has said (NMEA 0183), at most len(buf) bytes; return how many. Never blocks."""

    # ---- battery and cable ----

    def battery_mv(self):
        """Cell voltage in mV as measured now; 0 when this board cannot tell. May take milliseconds; may allocate."""

    def external_power(self):
        """True on the cradle or a cable, and whenever a serial line is wired. No heap.

        The application then stays awake, speaks on the serial line and listens to it.
        """

    # ---- flash ----

    def records(self):
        """The data file system's block device, mounted or not, as littlefs wants it (drivers/steady_flash.py).

        Raises OSError where there is none. For provisioning; the application mounts it and asks for nothing else.
        """

    def mount_flash(self):
        """Mount the data file system and return its path ("/flash"), no slash at the end.

        Raises OSError when it cannot be read. NEVER formats: what looks broken may still hold keys and alarms. After a
        start that is no waking it makes cells firm that a power cut left wavering (drivers/steady_flash.py).
        """

    # ---- RTC memory: survives deep sleep, soft reset and the watchdog; not the loss of power ----

    def rtc_load(self):
        """What rtc_store kept, as bytes; b"" when there is nothing."""

    def rtc_store(self, data):
        """Keep at most RTC_SIZE bytes. May allocate."""

    # ---- links ----

    def bluetooth(self):
        """The `bluetooth.BLE()` object, not yet active; None on a board without."""

    def serial_read(self, buf):
        """Read what waits on the serial line, at most len(buf) bytes; return how many, 0 for none. Never blocks.

        Also 0 when there is no serial line. Noise and cuts are the caller's to survive.
        """

    def serial_write(self, buf, size):
        """Write buf[:size]; True when the line took all of it. Blocks for 20 ms at most. No heap.

        False when there is no line or nobody reads. Part of it may have gone out: frames find their own ends again.
        """

    # ---- life and death ----

    def watchdog(self, timeout_ms):
        """Start the watchdog: without feed() for `timeout_ms` the board resets (RESET_WATCHDOG). Cannot be stopped."""

    def feed(self):
        """Feed it. The application does so only while its main loop turns and its ticks come."""

    def deep_sleep(self, sleep_ms):
        """Stop everything but RTC memory for `sleep_ms`, or until the button is pressed or the cable comes.

        Does not return, for the application starts anew - unless the button is down or an edge has come that
        on_button's callback was not yet given: then it returns at once, and the application stays awake.
        """

    def reset(self):
        """Restart the application now (RESET_SOFT). Does not return."""

    # ---- development ----

    def ready(self, version):
        """The application takes presses from now on; `version` is the firmware's, "1.0.0"."""

    def log(self, text):
        """A line for whoever develops; dropped in a release build. No secret goes in."""
