"""From a document to the files of a client, and from those to a folder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from portico_client_runtime.generator import emitting, models, reading, writing
from portico_client_runtime.generator.description import Json
from portico_client_runtime.generator.formatting import format_folder
from portico_client_runtime.generator.project import package_folder, scaffold
from portico_client_runtime.generator.surface import compare, surface

Progress = Callable[[str], None]


def _silent(_stage: str) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What generating a client did to its folder, or would do."""

    is_new: bool
    files: Mapping[str, str]
    """Those that do not stay as they are: added, removed or changed."""
    changes: Sequence[str]
    """What users of the client see of it, a line each."""


def render(document: Json, *, progress: Progress = _silent) -> Mapping[str, str]:
    """Return the files of a client for the server that an OpenAPI document describes, by name.

    The same document and the same versions of the tools give the same text.

    Raises:
        GeneratorError: the document is not fit for a client; the message says what to change.
    """
    description = reading.read(document)
    progress(f"describing {len(description.operations)} operations")
    with TemporaryDirectory() as place:
        work, package = Path(place), Path(place, "package")
        package.mkdir()
        progress(f"making {len(description.schemas)} models")
        files = {"models.py": models.source(description.schemas, work, emitting.MARKER)}
        progress(f"making {sum(1 for _ in description.root.below())} resources")
        files |= emitting.modules(description)
        for name, text in files.items():
            (package / name).write_text(text, encoding="utf-8", newline="\n")
        progress("formatting")
        format_folder(package)
        formatted = {name: (package / name).read_text(encoding="utf-8") for name in files}
    return dict(sorted({**formatted, writing.TYPED: ""}.items()))


def generate(
    document: Json, out: Path, *, package: str | None = None, is_check: bool = False, progress: Progress = _silent
) -> Outcome:
    """Write a client for the server that an OpenAPI document describes.

    A folder that holds anything else is left alone, and so is one whose client would be the same.

    Args:
        document: As decoded from JSON.
        out: The folder of the import package; it is made if it is not there, and nothing else may be in it.
        package: Makes `out` a project with this import package in its `src`, ready to build and to publish.
        is_check: Say what would be done, and do nothing.
        progress: Told about each stage.

    Raises:
        GeneratorError: the document or the folder is not fit for a client; nothing was written.
    """
    folder = package_folder(out.resolve(), package)
    old = writing.existing(folder)
    new = render(document, progress=progress)
    outcome = Outcome(
        is_new=not old,
        files=writing.differences(old, new),
        changes=compare(surface(old), surface(new)) if old else [],
    )
    if outcome.files and not is_check:
        progress(f"writing {folder}")
        writing.replace(folder, new)
    if package is not None and not is_check:
        scaffold(out, package)
    return outcome
