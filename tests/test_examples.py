"""Every example is started and used; the README shows them as they are."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from app import ORIGIN, content, plain, signed_up
from portico.testing import Browser, Clock
from requirements import requirement

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parent.parent
FOLDERS = sorted(path.name for path in (ROOT / "examples").glob("[!.]*") if path.is_dir())
PAGES = sorted(
    str(page.relative_to(ROOT))
    for page in (ROOT / "docs").rglob("*.md")
    # What the architecture is shown by is no program.
    if page.name != "architecture.md" and "```python" in page.read_text()
)
ANN = {"name": "Ann", "email": "ann@example.com", "password": "password123"}


def example(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / "examples" / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@requirement("S-251", "ARCH-types")
async def test_the_fastapi_example_greets_its_signed_in_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BETTER_AUTH_SECRET", "example-secret-0123456789-abcdefghijkl")
    module: Any = example("fastapi_email/app.py")
    await module.auth.create_schema()
    transport = httpx.ASGITransport(app=module.app)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN}) as http:
        assert (await http.get("/hello")).json() == {"message": "Unauthorized", "code": "UNAUTHORIZED"}
        signed = await http.post("/api/auth/sign-up/email", json={**ANN, "nickname": "Annie"})
        assert (await http.get("/hello")).json() == "Hello Annie"
        http.cookies.clear()
        token = {"authorization": f"Bearer {signed.headers['set-auth-token']}"}
        assert (await http.get("/hello", headers=token)).json() == "Hello Annie"
    await module.auth.close()


@requirement("ARCH-declaration", "ARCH-extends", "S-186")
async def test_the_plugin_example_lets_in_who_was_invited() -> None:
    plugin: Any = example("custom_plugin/portico_invitations/__init__.py")
    auth = plain(plugin.InvitationOnly(founders=("ann@example.com",)))
    ann, bob = await signed_up(auth), {**ANN, "email": "bob@example.com"}
    refused = await Browser(auth, ORIGIN).post("/sign-up/email", bob)
    assert (refused.status, content(refused)["code"]) == (403, "NOT_INVITED")
    invited = content(await ann.post("/invitations/create", {"email": "Bob@example.com"}))
    assert invited["email"] == "bob@example.com"
    again = await ann.post("/invitations/create", {"email": "bob@example.com"})
    assert (again.status, content(again)["code"]) == (409, "ALREADY_INVITED")
    assert content(await ann.get("/invitations/list")) == {"invitations": [invited]}
    assert (await Browser(auth, ORIGIN).post("/sign-up/email", bob)).status == 200


@requirement("ARCH-declaration", "ARCH-extends")
def test_the_page_about_plugins_shows_a_whole_package_of_less_than_sixty_lines() -> None:
    page = (ROOT / "docs" / "plugins" / "writing.md").read_text()
    folder = ROOT / "examples" / "custom_plugin"
    source = (folder / "portico_invitations" / "__init__.py").read_text()
    assert len(source.splitlines()) < 60
    # All but its imports, in two blocks.
    rows, plugin = source[source.index("ALREADY_INVITED =") :].split("@dataclass")
    assert rows.strip() in page
    assert plugin.strip() in page
    assert (folder / "pyproject.toml").read_text().strip() in page


@requirement("ARCH-declaration", "S-186", "S-279")
async def test_the_audit_example_tells_users_what_was_done_to_their_account() -> None:
    plugin: Any = example("audit_log/audit.py")
    clock = Clock()
    auth = plain(plugin.AuditLog(), clock=clock)
    ann, bob = await signed_up(auth), await signed_up(auth, "bob@example.com")
    changes = {"currentPassword": "password123", "newPassword": "another-password"}
    for path, body in (("/update-user", {"name": "Annie"}), ("/change-password", changes)):
        clock.advance(1)
        assert (await ann.post(path, body)).status == 200
    clock.advance(1)
    assert (await ann.post("/update-user", {"email": "other@example.com"})).status == 400
    entries = content(await ann.get("/audit-log/list"))["entries"]
    assert [entry["action"] for entry in entries[:2]] == ["changed the password", "changed the profile"]
    assert sorted(entry["action"] for entry in entries[2:]) == ["signed in", "signed up"]
    assert [entry["createdAt"] for entry in entries] == sorted((entry["createdAt"] for entry in entries), reverse=True)
    assert len({entry["userId"] for entry in entries}) == 1
    assert len(content(await bob.get("/audit-log/list"))["entries"]) == 2
    assert "password" not in str(entries).replace("changed the password", "")


@requirement("ARCH-examples")
@pytest.mark.parametrize("name", FOLDERS)
def test_every_example_says_how_to_start_it_and_is_started_by_a_test(name: str) -> None:
    folder = ROOT / "examples" / name
    installed, *started = re.findall(r"```sh\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    assert installed.startswith("pip install ")
    sources = [path.read_text() for path in folder.glob("*.py")]
    # Who opens the file finds the commands of the README there.
    assert any(commands in source for commands in started for source in sources)
    tests = "".join(path.read_text() for path in (ROOT / "tests" / "examples").glob("test_*.py"))
    assert f'"{name}"' in tests


@requirement("S-277", "S-278", "ARCH-store-contract")
async def test_the_pages_about_databases_say_where_rows_may_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BETTER_AUTH_SECRET", "example-secret-0123456789-abcdefghijkl")
    monkeypatch.setenv("BETTER_AUTH_URL", ORIGIN)
    choices: Any = example("../docs/databases/choices.py")
    made = [choices.on_sqlite, choices.on_postgresql, choices.behind_pgbouncer, choices.on_mysql, choices.on_engine]
    for make in (*made, choices.on_databases, choices.in_redis, choices.stateless):
        # Nothing is opened, so no server is needed.
        assert make().is_started is False
    folder = ROOT / "docs" / "databases"
    overview = (folder / "README.md").read_text()
    assert [page.name for page in folder.glob("*.md") if f"({page.name})" not in overview] == ["README.md"]


@requirement("ARCH-store-contract", "S-153")
def test_the_page_about_a_store_of_ones_own_shows_tests_that_pass() -> None:
    path = ROOT / "docs" / "databases" / "test_own_store.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(path.parent), str(path)]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.rpartition(" passed")[0].split()[-1]) > 50


@requirement("ARCH-declaration")
@pytest.mark.parametrize("page", ["README.md", *PAGES])
def test_a_page_shows_the_examples_as_they_are(page: str) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    # A method of the README is not indented, and its neighbour is further away.
    programs = [*(ROOT / "examples").glob("*/**/*.py"), *(ROOT / "docs").glob("*/*.py")]
    sources = [_words(path.read_text()) for path in programs]
    assert blocks
    for block in blocks:
        assert any(_words(block) in source for source in sources), block


def _words(source: str) -> str:
    return " ".join(source.split())
