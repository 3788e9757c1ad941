"""A stand-in for the firmware that speaks the body's lines and does, at once, what the battery's voltage tells it.

Runs on MicroPython. So the bench's life of a wearable is tested by a program whose every step the test decides.
"""

import os
import select
import socket
import sys

CRASH, SLEEP_TIMED, SLEEP, RESET, STOP_FEEDING, NONSENSE, SLEEP_DEAF = 1, 2, 3, 4, 5, 6, 7
FEED_EVERY_MS = 50
WATCHDOG_MS = 1000
TIMED_MS = 300


class Body:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(b"\x01\x00" + os.getenv("PINGAN_BODY").encode() + b"\x00")
        self.poll = select.poll()
        self.poll.register(self.socket, select.POLLIN)
        self.presses = 0
        self.feeding = True

    def say(self, line):
        self.socket.write(line + "\n")

    def count(self):
        """A number kept in RTC memory: gone with the power."""
        try:
            with open(os.getenv("PINGAN_RTC")) as file:
                kept = int(file.read())
        except OSError:
            kept = 0
        with open(os.getenv("PINGAN_RTC"), "w") as file:
            file.write(str(kept + 1))
        return kept

    def sleep(self, ms):
        self.say(f"sleep {ms}")
        sys.exit(0)

    def obey(self, order):
        if order == CRASH:
            print("about to crash")
            raise RuntimeError("test crash")
        if order == SLEEP_TIMED:
            self.sleep(TIMED_MS)
        if order == SLEEP:
            self.sleep(0)
        if order == SLEEP_DEAF:
            self.say("led 00ff00")
            while b"down" not in self.socket.readline():
                pass
            self.sleep(0)  # as if the press had come after the last look at the button
        if order == RESET:
            self.say("log asks for a reset")
            sys.exit(3)
        if order == STOP_FEEDING:
            self.feeding = False
        if order == NONSENSE:
            self.say("dances")

    def take(self, line):
        word, _, rest = line.partition(" ")
        if word == "battery":
            self.obey(int(rest))
        elif line == "button down":
            self.presses += 1
            self.say(f"shows PRESSED {self.presses}")
        elif line == "button up":
            self.say(f"shows IDLE {self.presses}")

    def turn(self):
        if not self.poll.poll(FEED_EVERY_MS):
            if self.feeding:
                self.say("feed")
            return
        line = self.socket.readline()
        if not line:
            sys.exit(9)
        self.take(line.decode().strip())


body = Body()
body.say(f"log {os.getenv('PINGAN_RESET')} {os.getenv('PINGAN_WAKE')} {body.count()}")
body.say(f"watchdog {WATCHDOG_MS}")
body.say("hello 0.0.1")
while True:
    body.turn()
