"""The contract's schemas, for tests that hold a message against them."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

_SCHEMAS = Path(__file__).resolve().parents[2] / "protocol" / "platform" / "schema"


@functools.cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((_SCHEMAS / f"{name}.json").read_text(encoding="utf-8")))


def check(name: str, message: Any) -> None:
    """Raises jsonschema.ValidationError when `message` is not of schema `name`."""
    _validator(name).validate(message)
