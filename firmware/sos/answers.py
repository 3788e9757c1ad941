"""Frames from gateway and platform: opened, and handed to whom they concern.

Owns opening against the last four questions and reading the body. Must not know links or lights. What does not open
is nobody's: it leaves no trace but a count.
"""

from protocol import codes
from protocol.frame import BODY_AT, DownOpener
from protocol.ccm import TAG_SIZE
from protocol.messages import Answer, Command, NotUnderstood


class Answers:
    """`refused` counts what did not open or could not be read."""

    def __init__(self, keys, envelope, on_answer, on_command, on_taken):
        self._opener = DownOpener(keys.down)
        self._envelope = envelope
        self._on_answer = on_answer
        self._on_command = on_command
        self._on_taken = on_taken
        self.refused = 0

    def take(self, frame, way):
        """Take a frame; `way` is handed on, for what is answered by the link it came by. Returns whether it is genuine.

        Calls on_answer(counter, Answer), on_command(counter, Command, way) or on_taken(sequence).
        """
        buf = bytearray(frame)
        for counter in self._envelope.questions():
            if self._opener.open(buf, len(buf), counter):
                self._read(buf[0] & 0x0F, bytes(buf[BODY_AT : len(buf) - TAG_SIZE]), counter, way)
                return True
        self.refused += 1
        return False

    def _read(self, frame_type, body, counter, way):
        try:
            if frame_type == codes.ANSWER:
                self._on_answer(counter, Answer(body))
            elif frame_type == codes.COMMAND:
                self._on_command(counter, Command(body), way)
            elif frame_type == codes.TAKEN:
                from protocol.watchful import Taken  # a pendant has no boxes

                self._on_taken(Taken(body).sequence)
            else:
                self.refused += 1  # a later version's
        except NotUnderstood:
            self.refused += 1
