"""What signing in touches outside of its process."""

import os
import sys
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass

from portico_client_runtime.cli.keyring_storage import Keyring, system_keyring

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


def open_in_browser(url: str) -> bool:
    """Open a page in the user's browser, and tell whether there is one."""
    # Without a display, the browsers that are left write over the terminal where the code is shown.
    if sys.platform == "linux" and not any(os.environ.get(name) for name in DISPLAYS):
        return False
    return webbrowser.open(url)


def on_a_terminal() -> bool:
    """Tell whether a person sees what is written and can answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The keyring, the browser, the terminal and the time; tests pass their own."""

    keyring: Callable[[], Keyring | None] = system_keyring
    """Finds where tokens are kept; None for a file."""

    open_browser: Callable[[str], bool] = open_in_browser
    """Opens a URL, and tells whether it could."""

    is_interactive: Callable[[], bool] = on_a_terminal
    """Whether a person is there; without one no browser is opened."""

    clock: Callable[[], float] = time.time
    """The time, in seconds since 1970."""

    sleep: Callable[[float], None] = time.sleep
    """Waits for some seconds."""
