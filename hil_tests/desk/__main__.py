"""The desk as it is; it also says how many tasks it has, when it is asked by SIGUSR1."""

import sys

from hil_tests.tasks_told import tell_on_signal
from tools.cli import main

if __name__ == "__main__":
    tell_on_signal()
    sys.exit(main(["desk", *sys.argv[1:]]))
