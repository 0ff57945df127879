"""What the package is made of, and what importing it costs."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import portico_client_runtime
from portico_client_runtime import AsyncBaseClient, AsyncResource, AsyncSessionStore, BaseClient, Resource, SessionStore
from requirements import requirement

TRANSLATE = Path(__file__).parents[3] / "packages/portico-client-runtime/unasync.py"
PROGRAM = """
import json, sys
import httpx, pydantic
before = set(sys.modules)
import portico_client_runtime
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


@requirement("ARCH-client-sync")
def test_the_sync_client_is_what_the_async_one_translates_to() -> None:
    done = subprocess.run([sys.executable, str(TRANSLATE), "--check"], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


@requirement("ARCH-client-sync")
def test_both_clients_have_the_same_methods_and_parameters() -> None:
    def surface(kind: type) -> dict[str, list[str]]:
        members = {name: member for name, member in vars(kind).items() if not name.startswith("_")}
        return {
            name: [*inspect.signature(member).parameters] if inspect.isfunction(member) else []
            for name, member in members.items()
        }

    pairs = ((AsyncBaseClient, BaseClient), (AsyncResource, Resource), (AsyncSessionStore, SessionStore))
    for asynchronous, synchronous in pairs:
        awaited = {name.replace("aclose", "close"): parameters for name, parameters in surface(asynchronous).items()}
        assert awaited == surface(synchronous)


@requirement("ARCH-client-light")
def test_importing_the_runtime_imports_nothing_but_itself_and_what_it_stands_on() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    foreign = [
        name
        for name in json.loads(done.stdout)
        if name not in sys.stdlib_module_names and not name.startswith("_sysconfigdata")
    ]
    assert set(foreign) <= {"anyio", "portico_client_runtime", "pydantic", "sniffio", "typing_extensions"}


@requirement("ARCH-client-light")
def test_every_public_name_is_found() -> None:
    names = portico_client_runtime.__all__
    assert len(set(names)) == len(names)
    assert all(getattr(portico_client_runtime, name) is not None for name in names)
