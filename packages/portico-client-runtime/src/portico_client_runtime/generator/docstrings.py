"""Docstrings of generated methods: what a call does, what its arguments mean, and what it raises."""

import re
import textwrap
from collections.abc import Iterator

from portico_client_runtime.generator.description import Operation

WIDTH = 120
INDENT = " " * 8
STATUSES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    422: "UnprocessableEntity",
    429: "RateLimited",
}
SERVER_ERROR = "ServerError"
QUOTES = re.compile(r'"{3,}|"+$')
"""What could end a docstring."""


def docstring(operation: Operation) -> str:
    """Return the docstring of the operation's method, indented."""
    lines = list(_lines(operation))
    body = "\n".join(f"{INDENT}{line}" if line else "" for line in lines)
    end = f"\n{INDENT}" if len(lines) > 1 else ""
    return f'{INDENT}"""{body[len(INDENT) :]}{end}"""'


def text(value: object) -> str:
    """Return a text so that nothing in it ends a docstring or escapes anything."""
    escaped = str(value).replace("\\", "\\\\")
    return QUOTES.sub(lambda found: '\\"' * len(found[0]), escaped)


def error_class(status: int) -> str:
    """Return the name of the exception for a status."""
    return STATUSES.get(status, SERVER_ERROR if status >= 500 else "ApiError")  # noqa: PLR2004  # a class of statuses


def _lines(operation: Operation) -> Iterator[str]:
    yield text(f"{_one_line(operation.summary)}.")
    if operation.deprecated:
        yield from ("", "Deprecated.")
    if operation.doc:
        yield ""
        for paragraph in operation.doc.splitlines():
            yield from _wrapped(paragraph, "") or [""]
    documented = [parameter for parameter in operation.parameters if parameter.doc]
    if documented:
        yield from ("", "Args:")
        for parameter in documented:
            yield from _wrapped(f"{parameter.name}: {_one_line(parameter.doc)}", "    ")
    codes: dict[str, list[str]] = {}
    for status, each in sorted(operation.codes.items()):
        codes.setdefault(error_class(status), []).extend(each)
    if codes:
        yield from ("", "Raises:")
        for name, refusals in codes.items():
            yield from _wrapped(f"{name}: {', '.join(refusals)}" if refusals else name, "    ")


def _wrapped(line: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text(line),
        WIDTH - len(INDENT),
        initial_indent=indent,
        subsequent_indent=indent * 2,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _one_line(value: str) -> str:
    return " ".join(value.split())
