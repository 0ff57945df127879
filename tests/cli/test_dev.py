import os
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.running import portico, serving
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("ARCH-dev")]
ANN = {"name": "Ann", "email": "ann@example.com", "password": "choose-a-password"}
HOSTILE = "<script>alert(1)</script>\"'&"
PATHS = ["/", "/__mailbox", "/__clock", "/__health", "/__outbox", "/__db", "/__ddl", "/__secondary", "/nothing"]


@pytest.fixture
def anyio_backend() -> str:
    """The server has an event loop of its own; which one the test runs on changes nothing."""
    return "asyncio"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dev")


@pytest.fixture
async def dev(tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    async with serving(cwd=tmp_path, verb="dev") as server:
        server.http.base_url = httpx.URL(server.address).copy_with(path="/")
        # What a page of this server, or a client of upstream's, sends.
        server.http.headers["origin"] = str(server.http.base_url).rstrip("/")
        yield server.http
        assert await server.stop() == (0, "")
    assert os.listdir(tmp_path) == []  # noqa: PTH208  # anyio's Path has no advantage here


async def post(dev: httpx.AsyncClient, path: str, body: object = None) -> Any:
    reply = await dev.post(path, json={} if body is None else body)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def rows(dev: httpx.AsyncClient, table: str) -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = (await dev.get("/__db", params={"table": table})).json()
    assert list(found) == [table]
    return found[table]


async def test_a_script_for_upstreams_reference_server_drives_it(dev: httpx.AsyncClient) -> None:
    assert (await dev.get("/__health")).json() == {"ok": True}
    signed_up = await post(dev, "/__api", {"method": "signUpEmail", "args": {"body": ANN}})
    assert signed_up["ok"] is True
    user = signed_up["result"]["user"]
    [row] = await rows(dev, "user")
    assert (row["id"], row["email"], row["emailVerified"]) == (user["id"], "ann@example.com", 0)

    changed = await post(dev, "/__sql", {"sql": 'update "user" set "emailVerified" = ?', "params": [True]})
    assert (changed["changes"], set(changed)) == (1, {"changes", "lastInsertRowid"})
    read = await post(dev, "/__sql", {"sql": 'select "id", "emailVerified" as proven, x\'00ff\' as raw from "user"'})
    assert read == [{"id": user["id"], "proven": 1, "raw": "AP8="}]

    assert 'CREATE TABLE "user"' in (await dev.get("/__ddl")).text
    assert (await dev.get("/__ddl")).headers["content-type"] == "text/plain"
    assert (await dev.get("/__secondary")).json() is None
    everything = (await dev.get("/__db")).json()
    assert set(everything) == {"user", "session", "account", "verification", "twoFactor", "jwks", "deviceCode"}
    assert (await dev.get("/__db?table=nothing")).json() == {}


async def test_server_calls_go_by_upstreams_names_and_refusals_look_as_its_do(dev: httpx.AsyncClient) -> None:
    await post(dev, "/__api", {"method": "signUpEmail", "args": {"body": ANN}})
    again = await post(dev, "/__api", {"method": "signUpEmail", "args": {"body": ANN}})
    code, message = "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL", "User already exists. Use another email."
    body = {"message": message, "code": code}
    error = {"name": "APIError", "status": "UNPROCESSABLE_ENTITY", "statusCode": 422, "body": body, "message": message}
    assert again == {"ok": False, "error": error}
    device = await post(dev, "/__api", {"method": "deviceVerify", "args": {"query": {"user_code": "WRONG"}}})
    said = {"error": "invalid_request", "error_description": "Invalid user code"}
    assert (device["ok"], device["error"]["body"]) == (False, said)
    invalid = await post(dev, "/__api", {"method": "signInEmail", "args": {"body": {"email": "ann@example.com"}}})
    assert (invalid["ok"], invalid["error"]["body"]["code"]) == (False, "VALIDATION_ERROR")
    token = (await dev.post("/api/auth/sign-in/email", json=ANN)).json()["token"]
    args = {"headers": {"authorization": f"Bearer {token}"}}
    session = await post(dev, "/__api", {"method": "getSession", "args": args})
    assert session["result"]["session"]["token"] == token
    assert (await post(dev, "/__api", {"method": "getSession", "args": {"headers": {}}})) == {
        "ok": True,
        "result": None,
    }
    free = await post(dev, "/__api", {"method": "isUsernameAvailable", "args": {"body": {"username": "ann"}}})
    assert free == {"ok": True, "result": {"available": True}}
    proof = {"headers": args["headers"], "body": {"password": "choose-a-password"}}
    enabled = await post(dev, "/__api", {"method": "enableTwoFactor", "args": proof})
    assert enabled["result"]["totpURI"].startswith("otpauth://totp/")


@pytest.mark.parametrize(
    ("path", "sent", "message"),
    [
        ("/__sql", {"sql": "selec 1"}, 'near "selec": syntax error'),
        ("/__sql", {"sql": "select ?", "params": [[1]]}, "Error binding parameter 1: type 'list' is not supported"),
        ("/__sql", {"sql": "begin"}, "each statement is a transaction of its own"),
        ("/__sql", {"sql": 1}, "Send {sql: text, params: list}"),
        ("/__sql", [], "Send a JSON object"),
        ("/__api", {"method": "nothing"}, "There is no method 'nothing'; there are "),
        ("/__api", {"method": "ok", "args": []}, "Send {method: text, args: "),
        ("/__clock", {"advance": -1}, "the clock goes forward, by at most 3153600000 seconds"),
        ("/__clock", {"advance": 1e12}, "the clock goes forward, by at most 3153600000 seconds"),
        ("/__clock", {"advance": True}, "Send {advance: seconds}"),
        ("/__clock", {"advance": 10**400}, "int too large to convert to float"),
    ],
)
async def test_what_cannot_be_done_is_said(dev: httpx.AsyncClient, path: str, sent: object, message: str) -> None:
    reply = await dev.post(path, json=sent)
    assert reply.status_code == 400
    assert reply.json()["message"].startswith(message)
    # And the next one works.
    assert await post(dev, "/__sql", {"sql": "select 1 as one"}) == [{"one": 1}]


async def test_a_body_that_is_no_json_or_too_large_is_refused(dev: httpx.AsyncClient) -> None:
    broken = await dev.post("/__sql", content=b"{")
    assert (broken.status_code, broken.json()["message"]) == (400, "Send a JSON object")
    large = await dev.post("/__sql", content=b" " * 2_000_000)
    assert (large.status_code, large.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert await post(dev, "/__sql", {"sql": "select 1 as one"}) == [{"one": 1}]


async def test_a_server_call_may_have_a_query(dev: httpx.AsyncClient) -> None:
    refused = await post(dev, "/__api", {"method": "verifyEmail", "args": {"query": {"token": "x"}}})
    assert (refused["ok"], refused["error"]["body"]["code"]) == (False, "INVALID_TOKEN")
    missing = await post(dev, "/__api", {"method": "verifyEmail", "args": {"query": {}}})
    assert (missing["ok"], missing["error"]["body"]["code"]) == (False, "VALIDATION_ERROR")


async def test_a_mailed_link_is_on_the_page_and_works(dev: httpx.AsyncClient) -> None:
    await dev.post("/api/auth/sign-up/email", json=ANN | {"name": HOSTILE})
    asked = {"email": "ann@example.com", "redirectTo": "/new-password"}
    await post(dev, "/api/auth/request-password-reset", asked)
    page = await dev.get("/__mailbox")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert HOSTILE not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;" in page.text
    assert "<script" not in page.text
    [nonce] = re.findall(r'<style nonce="([^"]+)">', page.text)
    assert page.headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    [link] = re.findall(r'href="(http[^"]+)"', page.text)
    landed = await dev.get(link.replace("&amp;", "&"))
    assert landed.status_code == 302
    token = landed.headers["location"].partition("token=")[2]
    await post(dev, "/api/auth/reset-password", {"newPassword": "another-password", "token": token})
    signed_in = await dev.post("/api/auth/sign-in/email", json=ANN | {"password": "another-password"})
    assert signed_in.status_code == 200


async def test_the_outbox_has_mails_as_upstreams_reference_server_has_them(dev: httpx.AsyncClient) -> None:
    await dev.post("/api/auth/sign-up/email", json=ANN)
    for _ in range(2):
        await post(dev, "/api/auth/request-password-reset", {"email": "ann@example.com"})
    first, second = (await dev.get("/__outbox")).json()
    assert (first["seq"], second["seq"], set(first)) == (1, 2, {"seq", "at", "kind", "data"})
    assert (first["kind"], set(first["data"])) == ("reset-password", {"user", "url", "token"})
    assert first["data"]["user"]["email"] == "ann@example.com"
    page = (await dev.get("/__mailbox")).text
    assert page.index(second["data"]["token"]) < page.index(first["data"]["token"])
    assert (await dev.delete("/__outbox")).json() == {"ok": True}
    assert (await dev.get("/__outbox")).json() == []
    assert "No mail was sent." in (await dev.get("/__mailbox")).text


async def test_putting_the_clock_forward_ends_a_session(dev: httpx.AsyncClient) -> None:
    await dev.post("/api/auth/sign-up/email", json=ANN)
    assert (await dev.get("/api/auth/get-session")).json()["user"]["name"] == "Ann"
    moved = await post(dev, "/__clock", {"advance": 8 * 86400})
    assert moved["ok"] is True
    assert moved["now"][:10] in (await dev.get("/__clock")).text
    assert (await dev.get("/api/auth/get-session")).json() is None
    # The page does it by a form, so that no script is needed.
    form = await dev.post("/__clock", data={"advance": "86400"})
    assert (form.status_code, form.headers["location"]) == (303, "/__clock")
    assert moved["now"][:10] not in (await dev.get("/__clock")).text


async def test_a_reset_leaves_nothing_of_what_was_before(dev: httpx.AsyncClient) -> None:
    before = (await post(dev, "/__clock", {"advance": 0}))["now"]
    await dev.post("/api/auth/sign-up/email", json=ANN)
    await post(dev, "/api/auth/request-password-reset", {"email": "ann@example.com"})
    await post(dev, "/__clock", {"advance": 86400})
    assert await post(dev, "/__reset") == {"ok": True}
    assert not any((await dev.get("/__db")).json().values())
    assert (await dev.get("/__outbox")).json() == []
    assert (await post(dev, "/__clock", {"advance": 0}))["now"][:15] == before[:15]
    assert (await dev.get("/api/auth/get-session")).json() is None
    assert (await dev.post("/api/auth/sign-up/email", json=ANN)).status_code == 200


async def test_foreign_pages_and_foreign_names_are_refused(dev: httpx.AsyncClient) -> None:
    await dev.post("/api/auth/sign-up/email", json=ANN)
    port = dev.base_url.port
    foreign = [{"host": "evil.example"}, {"host": f"evil.example:{port}"}, {"host": "localhost"}, {"host": ""}]
    foreign += [{"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://localhost:1"}]
    for headers in foreign:
        replies = [await dev.get(path, headers=headers) for path in PATHS]
        replies += [await dev.post(path, json={}, headers=headers) for path in ("/__reset", "/__sql", "/__clock")]
        replies.append(await dev.delete("/__outbox", headers=headers))
        assert {reply.status_code for reply in replies} == {403}, headers
        assert not any("ann@" in reply.text for reply in replies)
    assert len(await rows(dev, "user")) == 1
    # The API has rules of its own: a Host changes nothing there, and a foreign Origin only what cookies do.
    assert (await dev.get("/api/auth/ok", headers={"host": "evil.example"})).json() == {"ok": True}
    own = {"host": f"localhost:{port}", "origin": f"http://localhost:{port}"}
    assert (await dev.post("/__reset", json={}, headers=own)).json() == {"ok": True}


async def test_the_front_page_leads_everywhere(dev: httpx.AsyncClient) -> None:
    page = (await dev.get("/")).text
    for path in re.findall(r'href="(/[^"]*)"', page):
        assert (await dev.get(path, follow_redirects=True)).status_code == 200, path
    assert (await dev.get("/reference")).headers["location"] == "/api/auth/reference"
    assert (await dev.get("/nothing")).status_code == 404
    refused = await dev.put("/__clock", json={})
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST")


async def test_a_file_keeps_the_rows_and_plugins_are_chosen(tmp_path: Path) -> None:
    options = ("--database", "sqlite:///dev.db", "--plugins", "bearer")
    async with serving(*options, cwd=tmp_path, verb="dev") as server:
        assert "  plugins  bearer\n" in server.welcome
        assert (await server.http.post("/sign-up/email", json=ANN)).status_code == 200
        assert (await server.http.post("/is-username-available", json={"username": "ann"})).status_code == 404
        assert "/reference" not in (await server.http.get(str(server.http.base_url.copy_with(path="/")))).text
        await server.stop()
    async with serving(*options, cwd=tmp_path, verb="dev") as server:
        assert (await server.http.post("/sign-in/email", json=ANN)).status_code == 200
        await server.stop()


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (["--plugins", "bearer,nothing"], {}, "there is no plugin 'nothing'; there are bearer, username, two-factor"),
        (["--host", "0.0.0.0"], {}, "`portico dev` listens on this machine only (127.0.0.1, localhost, ::1), not on"),
        ([], {"PORTICO_ENV": "production"}, "`portico dev` shows every mail and token, so it does not start"),
        (["--database", "postgresql://x"], {}, "`portico dev` keeps its rows in SQLite"),
    ],
)
def test_what_is_not_for_development_does_not_start(
    folder: Path, arguments: list[str], variables: dict[str, str], message: str
) -> None:
    done = portico("dev", "--port", "0", *arguments, cwd=folder, **variables)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"portico: {message}")
    assert list(folder.iterdir()) == []


def test_a_file_that_is_no_database_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "dev.db").write_text("This is no database.\n" * 100)
    done = portico("dev", "--port", "0", "--database", "sqlite:///dev.db", cwd=tmp_path)
    assert done.returncode != 0
    assert "file is not a database" in done.stderr
