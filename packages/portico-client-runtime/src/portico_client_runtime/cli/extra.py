"""Says what brings the libraries that the kit stands on, ahead of whatever would fail without them."""

from importlib.util import find_spec

missing = [name for name in ("typer", "keyring") if find_spec(name) is None]
if missing:
    raise ModuleNotFoundError(
        f"command-line login needs {' and '.join(missing)}: pip install 'portico-client-runtime[cli]'", name=missing[0]
    )
