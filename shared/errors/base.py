"""The base class of all errors of the catalogue."""

from typing import Any


class HoldfastError(Exception):
    """Something went wrong."""

    code = "internal_error"
    detail = "Something went wrong on our side. Try again; nothing was charged for this request."
    retryable = False

    def __init__(self, detail: str | None = None, **extra: Any) -> None:
        super().__init__(detail or self.detail)
        self.detail = detail or self.detail
        self.extra = extra
