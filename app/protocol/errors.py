"""The error object of the workflow API (rest.md 2.1; design.md section 6, "Errors")."""

import msgspec


class ErrorDetail(msgspec.Struct):
    """What went wrong.

    ``code`` is the HTTP status, which some clients show. ``type`` and ``name`` are the same word: older schemas read
    the one, newer ones the other. ``details`` has one text per single fault; it is always there, possibly empty.
    """

    code: int
    type: str
    name: str
    message: str
    details: list[str]


class ErrorBody(msgspec.Struct):
    """Clients recognise an error by this top-level member, whatever the status; no other answer has it."""

    error: ErrorDetail


def error_body(code: int, name: str, message: str, details: list[str] | None = None) -> ErrorBody:
    """Build the error object from an HTTP status, the error's name, a sentence and the single faults."""
    return ErrorBody(ErrorDetail(code=code, type=name, name=name, message=message, details=details or []))
