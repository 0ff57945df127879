"""`python -m browser.scalar`: fetch the release of Scalar that the page names, as `npm pack` brings it.

An install would bring two hundred packages that are in this one file already; the file itself is compared with the hash
that the page carries.
"""

import re
import subprocess
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from portico.plugins.open_api import SCALAR

FOLDER = Path(__file__).parent / "build"
PATIENCE = 300
"""In seconds."""


def parts() -> tuple[str, str]:
    """Return the package with its version, and the file in it, of the URL that the page loads by default."""
    found = re.fullmatch(r"https://[^/]+/npm/(@scalar/api-reference@[\d.]+)/(.+)", SCALAR)
    assert found is not None, SCALAR
    return found[1], found[2]


def kept() -> Path:
    """Return where the file is, or will be."""
    package, file = parts()
    return FOLDER / f"{package.replace('/', '-')}-{Path(file).name}"


def fetch() -> None:
    """Fetch the file unless it is there."""
    package, file = parts()
    if kept().exists():
        return
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=FOLDER) as folder:
        subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, timeout=PATIENCE)
        (packed,) = Path(folder).glob("*.tgz")
        with tarfile.open(packed) as archive:
            content = archive.extractfile(f"package/{file}")
            assert content is not None
            draft = Path(folder, "draft")
            draft.write_bytes(content.read())
        draft.rename(kept())


if __name__ == "__main__":
    fetch()
