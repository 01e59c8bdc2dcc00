"""Tells the fuzzer a rule that no document can state: a new request has a new key."""

from typing import Any
from uuid import uuid4

import schemathesis

KEY = "Idempotency-Key"


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Make each valid key a new one. The fuzzer likes the key `0`, and an old key with another body is refused."""
    if KEY in (case.headers or {}) and case.meta and case.meta.generation.mode.is_positive:
        case.headers[KEY] = str(uuid4())
