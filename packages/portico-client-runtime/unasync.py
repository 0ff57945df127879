"""Write the sync face of the runtime, `_sync`, from the async one; `--check` only says whether it is up to date.

What may differ between the two has a name that says so: `AsyncLock` is `Lock` there, `async_sleep` is `sleep`.
"""

import re
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "src/portico_client_runtime"
NOTICE = "# Written by unasync.py from {source}; do not edit."

RULES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\basync (def|with|for)\b", r"\1"),
        (r"\bawait ", ""),
        (r"\bCoroutine\[Any, Any, (.+)\]\]:", r"\1]:"),
        (r"\bAwaitable\[(.+)\]\]", r"\1]"),
        (r"\bAwaitable, |\bCoroutine, |, Coroutine\b", ""),
        (r"\b__a(enter|exit|iter|next)__\b", r"__\1__"),
        (r"\baclose\b", "close"),
        (r"\bASGITransport\b", "WSGITransport"),
        (r"\bAsync(?=[A-Z])", ""),
        (r"\basync_(?=[a-z])", ""),
        (r"\b_async\b", "_sync"),
    )
]
LEFT_BEHIND = re.compile(r"\b(async|await|anyio|awaitable|coroutine)\b|\bAsync[A-Z]|\basync_", re.IGNORECASE)


def translated(source: Path) -> str:
    """Return the sync twin of a module."""
    text = source.read_text(encoding="utf-8")
    for pattern, replacement in RULES:
        text = pattern.sub(replacement, text)
    left = LEFT_BEHIND.search(text)
    if left is not None:
        raise SystemExit(f"{source}: no rule of unasync.py translates {left[0]!r}")
    notice = NOTICE.format(source=source.relative_to(PACKAGE).as_posix())
    return _formatted(f"{notice}\n\n{text}", PACKAGE / "_sync" / source.name)


def _formatted(text: str, target: Path) -> str:
    # The name tells ruff whose settings count.
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(target), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout  # noqa: S603  # ours


def main() -> None:
    """Write the sync modules, or with `--check` compare them."""
    wanted = {path.name: translated(path) for path in sorted((PACKAGE / "_async").glob("*.py"))}
    folder = PACKAGE / "_sync"
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.py")}
    if "--check" in sys.argv[1:]:
        differing = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        if differing:
            raise SystemExit(f"_sync is not what unasync.py writes: {', '.join(differing)}")
        return
    folder.mkdir(exist_ok=True)
    for name in found.keys() - wanted.keys():
        (folder / name).unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
