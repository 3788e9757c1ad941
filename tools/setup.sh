#!/bin/sh
# Installs what this project needs and says what: setup.sh demo | test. Safe to repeat; the second run takes no time.
# Owns: Debian packages (where root or sudo can), .venv from requirements.lock, the wearable's MicroPython.
set -eu
cd "$(dirname "$0")/.."
purpose="${1:-demo}"

say() { printf 'setup: %s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}
can_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }

# command -> Debian package, for what is missing on this machine.
missing=""
need() {
    if ! PATH="$PATH:/usr/sbin" command -v "$1" >/dev/null 2>&1; then missing="$missing $2"; fi
}
need python3 python3
if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then missing="$missing python3-venv"; fi
need gcc gcc
need make make
if ! [ -e /usr/include/stdlib.h ]; then missing="$missing libc6-dev"; fi
need mosquitto mosquitto
# Care plans say local times by the name of a zone.
if ! [ -e /usr/share/zoneinfo/Asia/Shanghai ]; then missing="$missing tzdata"; fi
if [ "$purpose" = test ]; then
    need chromium chromium
    # It judges the gateway's unit; nothing is started by it.
    need systemd-analyze systemd
    # A real upsd for the gateway's mains and battery; its programs are in no PATH.
    if ! [ -x /lib/nut/dummy-ups ]; then missing="$missing nut-server"; fi
    need dbus-daemon dbus
    # The boards are 32-bit machines: tests about memory run on a 32-bit build, too.
    if [ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] && ! ls /usr/lib/gcc/x86_64-linux-gnu/*/32/libgcc.a >/dev/null 2>&1; then
        missing="$missing gcc-multilib"
    fi
    if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then missing="$missing postgresql"; fi
fi
if [ -n "$missing" ]; then
    if command -v apt-get >/dev/null 2>&1 && can_be_root; then
        say "installing Debian packages:$missing"
        as_root apt-get update -qq
        # shellcheck disable=SC2086 # a list of words
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    else
        # Without root: the broker and an interpreter come from packages unpacked in the cache; tests of the rest are skipped.
        say "cannot install (no root, no sudo without password):$missing"
        case "$missing" in
        *python3*) say "install python3 and python3-venv (3.11 or newer) by hand, then run this again"; exit 1 ;;
        esac
    fi
fi

stamp=".venv/.pingan-$(cat requirements.lock pyproject.toml | sha256sum | cut -c1-16)-$(pwd | sha256sum | cut -c1-8)"
if ! [ -e "$stamp" ]; then
    say "installing Python packages into .venv (pinned in requirements.lock)"
    python3 -m venv --clear .venv
    .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
    touch "$stamp"
fi

.venv/bin/python -m hil_tests.micropython >/dev/null
# Here and not by the tests, several of which would build it at once. Where it cannot be built they say so and skip.
if [ "$purpose" = test ]; then .venv/bin/python -m hil_tests.micropython --bits 32 >/dev/null 2>&1 || true; fi
