"""Installed packages do what they are for: they are typed, and they serve."""

import json
import shutil
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
from anyio import to_thread

from cli.running import serving
from packages.building import CONSTRAINTS, ROOT, UV, Package
from packages.conftest import Made
from packages.environments import Environment, by_pip, by_uv, requirement_on, run
from requirements import requirement

pytestmark = pytest.mark.anyio
CALLING = Path(__file__).with_name("calling.py")
INSIDE = Path(__file__).with_name("inside.py")
CONSUMERS = Path(__file__).parent / "consumers"
USER_OF_A_PLUGIN = """
import portico
from typing import assert_type
from portico_invitations import NOT_INVITED, InvitationOnly, Invitations

class Api(portico.Api):
    invitations = InvitationOnly(founders=("ann@example.com",))

SECRET = "0123456789abcdefghij-KLMNOPQRSTUVWXYZ"
auth = portico.Auth(secret=SECRET, base_url="https://example.com", database=portico.MemoryStore(), api=Api)

async def use() -> None:
    assert_type(await auth.api.invitations.list_own(None), Invitations)

print(NOT_INVITED.code)
"""
ANN = {"name": "Ann", "email": "ann@example.com", "password": "password123"}


@pytest.fixture
def anyio_backend() -> str:
    """The server has an event loop of its own; which one the test runs on changes nothing."""
    return "asyncio"


@requirement("PKG-types")
def test_an_installed_package_is_typed(bare: Environment, package: Package, tmp_path: Path) -> None:
    options = ("--strict", "--config-file=", f"--cache-dir={tmp_path}", "--python-executable", bare.python)
    consumer = CONSUMERS / f"{package.module}.py"
    # A copy of another name, and elsewhere: it must not find the package in the tree, nor itself.
    copy = tmp_path / "consumer.py"
    copy.write_text(consumer.read_text(encoding="utf-8"), encoding="utf-8")
    assert run(sys.executable, "-m", "mypy", *options, str(copy), cwd=tmp_path).startswith("Success")


@requirement("PKG-serve")
async def test_portico_alone_installed_by_pip_serves_a_sqlite_file(
    packages: Mapping[str, Package], tmp_path: Path
) -> None:
    portico = packages["portico"]
    installed = by_pip(tmp_path / "environment", requirement_on(portico), links=portico.folder)
    await serve_a_file(installed, tmp_path)


@requirement("PKG-floors")
async def test_the_oldest_versions_that_are_allowed_import_and_serve(
    packages: Mapping[str, Package], tmp_path: Path
) -> None:
    portico = packages["portico"]
    asked = [each for package in packages.values() for each in package.requirements if not each.startswith("portico")]
    wanted = [requirement_on(package, *package.extras) for package in packages.values()]
    options = ("--resolution", "lowest-direct")
    oldest = by_uv(tmp_path / "environment", *asked, *wanted, links=portico.folder, options=options)
    for package in packages.values():
        # Not with warnings as errors: what is new deprecates what is old.
        assert json.loads(run(oldest.python, "-I", str(INSIDE), package.module, cwd=tmp_path)) == {}
    # A name that is a module's as well was the module under an older loader.
    oldest.run("-c", "import portico.plugins.bearer\nfrom portico import endpoint\nassert callable(endpoint)")
    await serve_a_file(oldest, tmp_path)


@requirement("PKG-client")
async def test_the_client_alone_calls_a_server_alone(
    packages: Mapping[str, Package], environment_of: Made, tmp_path: Path
) -> None:
    server, client = environment_of(packages["portico"]), environment_of(packages["portico-client"])
    assert server.has("portico-client-runtime") is client.has("portico") is False
    async with serving(cwd=tmp_path, command=[server.program("portico")]) as running:
        call = partial(client.run, str(CALLING), running.address)
        assert await to_thread.run_sync(call) == "bob@example.com"


@requirement("PKG-types", "ARCH-extends")
def test_a_plugin_of_others_is_an_ordinary_package(packages: Mapping[str, Package], tmp_path: Path) -> None:
    portico, tree = packages["portico"], tmp_path / "plugin"
    shutil.copytree(ROOT / "examples" / "custom_plugin", tree)
    plugin = Package(tree, tmp_path)
    run(
        *UV,
        "build",
        "--quiet",
        "--build-constraints",
        str(CONSTRAINTS),
        "--out-dir",
        str(tmp_path),
        str(tree),
        cwd=tmp_path,
    )
    wanted = (requirement_on(portico), requirement_on(plugin))
    installed = by_uv(tmp_path / "environment", *wanted, links=portico.folder)
    consumer = tmp_path / "consumer.py"
    consumer.write_text(USER_OF_A_PLUGIN, encoding="utf-8")
    assert installed.run(str(consumer)) == "NOT_INVITED\n"
    options = ("--strict", "--config-file=", f"--cache-dir={tmp_path}/cache", "--python-executable", installed.python)
    assert run(sys.executable, "-m", "mypy", *options, str(consumer), cwd=tmp_path).startswith("Success")


async def serve_a_file(environment: Environment, folder: Path) -> None:
    """Sign up, start to use a second factor, and read the session again after a restart."""
    command, file = [environment.program("portico")], folder / "auth.db"
    async with serving("--database", str(file), cwd=folder, command=command) as server:
        server.http.headers["origin"] = server.address.removesuffix("/api/auth")
        signed_up = (await server.http.post("/sign-up/email", json=ANN)).json()
        session = (await server.http.get("/get-session")).json()
        assert session["session"]["token"] == signed_up["token"]
        assert session["user"] == {**signed_up["user"], "twoFactorEnabled": False}
        enabled = (await server.http.post("/two-factor/enable", json={"password": ANN["password"]})).json()
        assert list(enabled) == ["method", "totpURI", "backupCodes"]
    async with serving("--database", str(file), cwd=folder, command=command) as server:
        server.http.headers["authorization"] = f"Bearer {signed_up['token']}"
        assert (await server.http.get("/get-session")).json() == session
