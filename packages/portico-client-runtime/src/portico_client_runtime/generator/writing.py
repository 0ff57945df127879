"""A client's folder: whose it is, what differs from it, and how it is replaced."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from portico_client_runtime.generator.emitting import MARKER
from portico_client_runtime.generator.errors import GeneratorError

TYPED = "py.typed"
CACHE = "__pycache__"
OURS = MARKER.partition(".")[0]
"""How what was generated begins, whichever version wrote it."""


def existing(folder: Path) -> Mapping[str, str]:
    """Return the files of the client in `folder`, by path below it; none if there is no client yet.

    Raises:
        GeneratorError: something there was not generated, and writing would delete it.
    """
    if not folder.exists():
        return {}
    if not folder.is_dir():
        raise GeneratorError(f"{folder} is a file: name a folder for the client")
    return {path.relative_to(folder).as_posix(): _ours(path) for path in sorted(_files(folder))}


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            if path.name != CACHE:
                yield from _files(path)
        else:
            yield path


def _ours(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = "unreadable"
    if text.startswith(OURS) or (path.name == TYPED and not text):
        return text
    raise GeneratorError(f"{path} was not generated: name another folder, or move what is yours out of this one")


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> Mapping[str, str]:
    """Return what happens to each file that does not stay as it is: added, removed or changed."""
    changes = dict.fromkeys(new.keys() - old.keys(), "added")
    changes |= dict.fromkeys(old.keys() - new.keys(), "removed")
    changes |= {name: "changed" for name in old.keys() & new.keys() if old[name] != new[name]}
    return dict(sorted(changes.items()))


def replace(folder: Path, files: Mapping[str, str]) -> None:
    """Put `files` in the place of what is in `folder`; if that fails, the folder stays as it was."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as place:
            new = Path(place, "new")
            new.mkdir()
            for name, text in files.items():
                # Git and editors would call it changed if lines ended otherwise elsewhere.
                (new / name).write_text(text, encoding="utf-8", newline="\n")
            _swap(folder, new, Path(place, "old"))
    except OSError as error:
        raise GeneratorError(f"cannot write to {folder}: {error.strerror}") from error


def _swap(folder: Path, new: Path, old: Path) -> None:
    if not folder.exists():
        new.rename(folder)
        return
    folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
