#!/bin/sh
# `pingan gateway install` on a bare Debian or Raspberry Pi OS; takes its arguments, e.g. --answers FILE --bundle FILE.
# Owns one thing: that there is a Python to run it. Safe to repeat.
set -eu
tree="$(cd "$(dirname "$0")/../.." && pwd)"
if ! command -v python3 >/dev/null 2>&1; then
    if [ "$(id -u)" != 0 ]; then
        echo "install.sh: must be root. Run: sudo $0 $*" >&2
        exit 2
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 >/dev/null
fi
PYTHONPATH="$tree" exec python3 -m tools.install "$@"
