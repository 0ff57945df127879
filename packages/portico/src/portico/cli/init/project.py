"""The files of a new application."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from portico.cli.init.frameworks import FRAMEWORKS
from portico.crypto.random import random_letters
from portico.errors import ConfigError
from portico.store.database_url import ADVICE, ALIASES, DRIVERS, DatabaseUrl

URL = "http://localhost:3000"
SECRET_LENGTH = 48
ENDING = ".template"
ENVIRONMENT, IGNORED = ".env", ".gitignore"
HIDDEN = {"env": ENVIRONMENT, "gitignore": IGNORED}
"""Files whose templates have plain names, so that no tool takes them for its own."""
USUAL = {
    "sqlite": "sqlite:///auth.db",
    "postgresql": "postgresql://postgres@127.0.0.1:5432/{name}",
    "mysql": "mysql://root@127.0.0.1:3306/{name}",
}
"""Where the database of an application is that says only of which kind it is."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """An application that is to be written."""

    name: str
    framework: str
    database: str
    """A URL."""

    @property
    def serve(self) -> str:
        """The command that serves it."""
        return FRAMEWORKS[self.framework].serve


def name_of(directory: Path) -> str:
    """Return the name of the application in a directory, fit for a database as well."""
    return re.sub(r"[^a-z0-9]+", "_", directory.absolute().name.lower()).strip("_") or "app"


def database_of(choice: str, name: str) -> str:
    """Return the URL of a database, of which only the kind may be given; raise ConfigError for what is neither."""
    if choice in USUAL:
        return USUAL[choice].format(name=name)
    if "://" not in choice:
        raise ConfigError(f"--database is one of {', '.join(USUAL)}, or a URL, not {choice!r}")
    if _kind(choice) not in DRIVERS:
        raise ConfigError(f"--database has a scheme that is not served: {ADVICE}")
    return choice


def contents(project: Project) -> dict[str, str]:
    """Return the files by their paths."""
    framework = FRAMEWORKS[project.framework]
    extras = [each for each in (framework.extra, DRIVERS[_kind(project.database)].extra) if each]
    values = {
        "name": project.name,
        "url": URL,
        "serve": framework.serve,
        "extras": f"[{','.join(extras)}]" if extras else "",
        "greeting": "" if framework.extra is None else ", and `/hello` greets who is signed in",
        "secret": random_letters(SECRET_LENGTH),
        "another_secret": random_letters(SECRET_LENGTH),
        "database": _quoted(project.database),
    }
    templates = files("portico.cli.init") / "templates"
    found: dict[str, str] = {}
    for folder in ("common", project.framework):
        for path, text in _texts(templates / folder):
            known = HIDDEN.get(path.removesuffix(".more"), path)
            found[known] = found.get(known, "") + Template(text).substitute(values)
    return found


def write(project: Project, directory: Path, *, force: bool) -> Iterator[str]:
    """Write the files and yield, for each, what was done with it.

    A secret that is there already stays, whatever is forced, and what git ignores is only added to.

    Raises:
        ConfigError: other files are there, and nothing was written.
    """
    wanted = contents(project)
    there = [path for path in wanted if (directory / path).exists() and path != IGNORED]
    if there and not force:
        raise ConfigError(
            f"{directory} has {', '.join(there)} already: say --force to replace them, or another directory"
        )
    try:
        for path, text in wanted.items():
            target = directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if path == ENVIRONMENT:
                yield f"{'wrote' if _write_secret(target, text) else 'kept'} {path}"
                continue
            target.write_text(_added(target, text) if path == IGNORED else text, encoding="utf-8")
            yield f"wrote {path}"
    except OSError as error:
        raise ConfigError(f"cannot write {error.filename}: {error.strerror}") from error


def _texts(folder: Traversable, above: str = "") -> Iterator[tuple[str, str]]:
    """Yield the templates of a folder by the paths of what they become; none where there is no such folder."""
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _texts(entry, f"{above}{entry.name}/")
        elif entry.name.endswith(ENDING):
            yield above + entry.name.removesuffix(ENDING), entry.read_text(encoding="utf-8")


def _write_secret(path: Path, text: str) -> bool:
    """Make a file that only its owner may read, unless there is one."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return True


def _added(path: Path, text: str) -> str:
    """Return what a file holds, and below it those lines that it lacks."""
    known = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = known.splitlines()
    missing = [line for line in text.splitlines() if line not in lines]
    start = known if not known or known.endswith("\n") else f"{known}\n"
    return start + "".join(f"{line}\n" for line in missing)


def _kind(url: str) -> str:
    kind = DatabaseUrl(url).kind
    return ALIASES.get(kind, kind)


def _quoted(value: str) -> str:
    """Return a value as a file of settings takes it, in which nothing is replaced."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
