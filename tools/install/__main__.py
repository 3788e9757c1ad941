"""`python3 -m tools.install`: `pingan gateway install` on a machine that has nothing yet. bare.py says how."""

import sys

from tools.install import bare

sys.exit(bare.main(sys.argv[1:]))
