"""The control socket's schemas, for tests that hold a line against them."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

_SCHEMAS = Path(__file__).resolve().parents[3] / "edge_daemon/control/schema"


@functools.cache
def _validator(name: str) -> Draft202012Validator:
    schema = json.loads((_SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def check(name: str, message: Any) -> Any:
    """`message`, which is of schema `name`; else raises jsonschema.ValidationError."""
    _validator(name).validate(message)
    return message
