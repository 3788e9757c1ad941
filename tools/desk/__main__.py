"""`python -m tools.desk …` is `pingan desk …`."""

import sys

from tools.cli import main

if __name__ == "__main__":
    sys.exit(main(["desk", *sys.argv[1:]]))
