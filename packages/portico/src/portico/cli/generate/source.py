"""Python source, laid out as formatters lay it out."""

import json
import keyword
import re
from collections.abc import Collection, Sequence

WIDTH = 88
"""What formatters break lines at, unless somebody says otherwise."""
WORDS = re.compile(r"[^0-9A-Za-z]+")


def literal(text: str) -> str:
    """Return text as source, in the quotation marks that need no escapes."""
    if '"' in text and "'" not in text and "\\" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False)


def call(opening: str, arguments: Sequence[str], *, indent: int = 0, tail: int = 0) -> str:
    """Return `opening`, arguments and `)`, on one line if that is short enough, or one argument on each.

    `indent` is where the line begins, whether or not `opening` has that margin; `tail` is what will follow.
    """
    on_one = f"{opening}{', '.join(arguments)})"
    margin = " " * indent
    if indent + len(on_one.lstrip()) + tail <= WIDTH and "\n" not in on_one:
        return on_one
    inner = f"{margin}    "
    joined = ", ".join(arguments)
    fits = len(inner) + len(joined) <= WIDTH and "\n" not in joined
    # Only what has no comma at its end may stand on one line.
    lines = [joined] if fits else [f"{each}," for each in arguments]
    return "\n".join([opening, *(f"{inner}{line}" for line in lines), f"{margin})"])


def class_name(name: str) -> str:
    """Return what a table is called as a class: `two_factor` and `twoFactor` are `TwoFactor`."""
    words = [word for word in WORDS.split(name) if word]
    joined = "".join(word[:1].upper() + word[1:] for word in words)
    return joined if joined.isidentifier() else f"Table{joined}"


def attribute(name: str, reserved: Collection[str], suffix: str) -> str:
    """Return what a field is called as an attribute, with `suffix` where its own name means something else."""
    return f"{name}{suffix}" if keyword.iskeyword(name) or name in reserved else name
