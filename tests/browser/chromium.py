"""What Chromium makes of a page: the elements and texts at its end, and what it said on the console."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

SETTLED = 20_000
"""In milliseconds of the page's own clock, which stands still while the page computes or loads."""
PATIENCE = 120
"""In seconds."""
BY_SCALAR = re.compile(r'"@scalar/api-reference@[\d.]+"')
"""It greets."""
CONSOLE = re.compile(r"CONSOLE(?::\d+|\(\d+\))\] (.+?)(?:, source: \S* \(\d+\))?$", re.MULTILINE)
INVISIBLE = {"script", "style", "noscript"}
COMMAND = (
    "chromium",
    "--headless",
    # Root, as in most containers, has none.
    "--no-sandbox",
    "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
    "--enable-logging=stderr",
    f"--virtual-time-budget={SETTLED}",
    "--dump-dom",
)


@dataclass
class Page(HTMLParser):
    """A page as it was when it had settled."""

    console: list[str]
    ids: list[str] = field(default_factory=list[str])
    texts: list[str] = field(default_factory=list[str])
    _hidden: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the id of an element."""
        self._hidden += tag in INVISIBLE
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_endtag(self, tag: str) -> None:
        """Come back to what can be seen."""
        self._hidden -= tag in INVISIBLE

    def handle_data(self, data: str) -> None:
        """Note a text that can be seen."""
        if not self._hidden and data.strip():
            self.texts.append(data.strip())


def is_installed() -> bool:
    """Tell whether there is a browser to ask."""
    return shutil.which(COMMAND[0]) is not None


def opened(url: str) -> Page:
    """Open a page in a browser without a past."""
    with TemporaryDirectory() as profile:
        command = [*COMMAND, f"--user-data-dir={Path(profile)}", url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    page = Page(list(_said(done.stderr)))
    page.feed(done.stdout)
    return page


def _said(log: str) -> Iterator[str]:
    yield from (said for said in CONSOLE.findall(log) if not BY_SCALAR.fullmatch(said))
