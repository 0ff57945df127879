"""The examples that programs use: APIs, functions, services and tools."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from examples.running import Example, unless
from requirements import requirement

pytestmark = [pytest.mark.anyio, unless(curl=shutil.which("curl"))]


def answers(output: str) -> list[Any]:
    """Return the JSON documents that several commands wrote one after the other."""
    decoder, rest = json.JSONDecoder(), output.strip()
    found: list[Any] = []
    while rest:
        value, end = decoder.raw_decode(rest)
        found.append(value)
        rest = rest[end:].strip()
    return found


def kept(folder: Path) -> tuple[int, Any]:
    """Return the mode and the content of the tool's credentials."""
    (path,) = folder.rglob("credentials.json")
    return path.stat().st_mode & 0o777, json.loads(path.read_text())


@requirement("S-251", "ARCH-examples")
async def test_the_fastapi_example_greets_whom_curl_signs_up(tmp_path: Path) -> None:
    example = Example("fastapi_email", tmp_path)
    async with example.serving():
        assert answers((await example.run(example.line("curl -s -b").replace("-b jar", "")))[1]) == [
            {"message": "Unauthorized", "code": "UNAUTHORIZED"}
        ]
        signed, greeted = answers((await example.run(*example.blocks[1]))[1])
    assert (signed["user"]["nickname"], greeted) == ("Annie", "Hello Annie")


@requirement("S-186", "ARCH-examples")
async def test_the_audit_example_shows_what_was_committed(tmp_path: Path) -> None:
    example = Example("audit_log", tmp_path)
    async with example.serving():
        signed, updated, listed = answers((await example.run(*example.blocks[1]))[1])
    assert updated == {"status": True}
    assert sorted(entry["action"] for entry in listed["entries"]) == ["changed the profile", "signed in", "signed up"]
    assert {entry["userId"] for entry in listed["entries"]} == {signed["user"]["id"]}


@requirement("S-251", "ARCH-examples")
async def test_the_litestar_example_shows_notes_to_their_owner_only(tmp_path: Path) -> None:
    example = Example("litestar_api", tmp_path)
    sign_up, _, listing = example.blocks[1]
    async with example.serving():
        signed, added, listed = answers((await example.run(*example.blocks[1]))[1])
        other = sign_up.replace("ann@", "bob@").replace("jar", "bobs-jar")
        theirs = answers((await example.run(other, listing.replace("jar", "bobs-jar")))[1])[1]
        stranger = answers((await example.run(listing.replace("-b jar", "")))[1])
    assert added == {"owner_id": signed["user"]["id"], "text": "Buy milk", "id": added["id"]}
    assert (listed, theirs) == ([added], [])
    assert stranger == [{"message": "Unauthorized", "code": "UNAUTHORIZED"}]


@requirement("S-251", "ARCH-examples")
async def test_the_lambda_example_answers_the_events_of_aws(tmp_path: Path) -> None:
    example = Example("lambda_function", tmp_path)
    exports = [line for line in example.blocks[0] if line.startswith("export")]
    # Each run of these lines makes a secret of its own, and a cookie lasts no longer than its secret.
    exports[0] = f"export BETTER_AUTH_SECRET={(await example.run('portico secret'))[1]}"
    _, written = await example.run(*exports, *example.blocks[0][len(exports) :])
    signed_up, signed_in = answers(written[written.index("{") :])
    assert [signed_up["statusCode"], signed_in["statusCode"]] == [200, 200]
    (cookie,) = [line.partition(";")[0] for line in signed_in["cookies"] if "session_token" in line]
    greeting = "python invoke.py greeting events/greeting.json"
    greeted = answers((await example.run(*exports, f"{greeting} '{cookie}'"))[1])[0]
    refused = answers((await example.run(*exports, greeting))[1])[0]
    assert (greeted["statusCode"], json.loads(greeted["body"])) == (200, {"text": "Hello Ann", "path": "/greeting"})
    assert (refused["statusCode"], json.loads(refused["body"])["code"]) == (401, "UNAUTHORIZED")


@requirement("ARCH-client-authentication", "ARCH-examples")
async def test_a_service_learns_from_another_who_is_calling(tmp_path: Path) -> None:
    example = Example("service_to_service", tmp_path)
    orders = example.line(f"curl -s -b jar {example.url(3001)}")
    async with example.serving(1):
        async with example.serving(0):
            assert answers((await example.run(*example.blocks[2]))[1])[1] == {
                "customer": "ann@example.com",
                "orders": [],
            }
            unknown = answers((await example.run(orders.replace("-b jar", "-b better-auth.session_token=x.y")))[1])
        assert unknown == [{"detail": "Sign in first"}]
        assert answers((await example.run(orders))[1]) == [{"detail": "The accounts service does not answer"}]


@requirement("S-121", "S-122", "S-239", "ARCH-examples")
async def test_a_service_believes_the_tokens_of_another(tmp_path: Path) -> None:
    example = Example("service_tokens", tmp_path)
    sign_up, token, orders = example.blocks[2]
    forged = orders.replace("$TOKEN", "$TOKEN-")
    refused = {"detail": "Bring a token of the accounts service"}
    async with example.serving(1):
        async with example.serving(0):
            signed, listed, other = answers((await example.run(sign_up, token, orders, forged))[1])
            assert signed["user"]["email"] == "ann@example.com"
            assert listed == {"customer": "ann@example.com", "orders": []}
            assert other == refused
            kept = (await example.run(token, 'printf %s "$TOKEN"'))[1]
        again = answers((await example.run(f"TOKEN={kept}", orders))[1])
        assert again == [{"customer": "ann@example.com", "orders": []}]


@requirement("ARCH-extends", "ARCH-examples")
async def test_the_plugin_example_refuses_who_was_not_invited(tmp_path: Path) -> None:
    example = Example("custom_plugin", tmp_path)
    async with example.serving():
        refused = answers((await example.run(*example.blocks[1]))[1])
    assert refused == [{"message": "Sign-up is by invitation only", "code": "NOT_INVITED"}]


@requirement("ARCH-extends", "ARCH-examples")
async def test_the_plugin_example_passes_its_own_tests(tmp_path: Path) -> None:
    example = Example("custom_plugin", tmp_path)
    code, written = await example.run(
        f"{sys.executable} -m pytest -q -p no:cacheprovider -k asyncio test_invitations.py"
    )
    assert (code, "2 passed" in written) == (0, True), written


@requirement("ARCH-extends", "S-230", "ARCH-examples")
async def test_a_client_that_is_generated_for_a_plugin_is_typed_and_works(tmp_path: Path) -> None:
    example = Example("custom_plugin_client", tmp_path)
    async with example.serving(0):
        code, written = await example.run(*example.blocks[1])
    assert code == 0, written
    assert written.splitlines()[-3:] == [
        "Bob: Sign-up is by invitation only",
        "Ann invited bob@example.com",
        "Bob is in",
    ]
    checked = f"{sys.executable} -m mypy --strict"
    assert await example.run(f"{checked} invite.py") == (0, "Success: no issues found in 1 source file\n")
    await example.run("sed s/NOT_INVITED/NOT_INVTED/ invite.py > misspelt.py")
    code, written = await example.run(f"{checked} --enable-error-code comparison-overlap misspelt.py")
    assert (code, "NOT_INVTED" in written) == (1, True), written


@requirement("S-233", "ARCH-cli-login", "ARCH-cli-tokens", "ARCH-client-storage", "ARCH-examples")
async def test_the_command_line_tool_keeps_a_token_until_it_signs_out(tmp_path: Path) -> None:
    example = Example("cli_bearer", tmp_path)
    (sign_up,), login, (_, look, approve) = example.blocks[1:]

    async def tool(command: str, text: str = "") -> tuple[int, str]:
        return await example.run(f"python tool.py {command}", text=text)

    url = example.url()
    nobody = (4, f"acme: you are not signed in to {url}: run `acme login`\n")
    ann = f"Signed in to {url} as Ann <ann@example.com>\n"
    async with example.serving():
        (signed,) = answers((await example.run(sign_up))[1])
        assert await tool("whoami") == nobody
        code, written = await example.run(
            "mkfifo said",
            f"{login[0]} 2>said &",
            "exec 3<said",
            "read -r LINE <&3",
            "CODE=${LINE##* }",
            f"{look} >shown",
            f"{approve} >approved",
            "wait $!",
            "cat <&3",
        )
        assert (code, written.endswith(ann)) == (0, True), written
        assert await tool("whoami") == (0, "Ann <ann@example.com>\n")
        assert await tool("projects") == (0, "Ann's first project\n")
        assert len((await tool("sessions"))[1].splitlines()) == 2
        assert kept(tmp_path)[0] == 0o600
        assert (await tool("token"))[1].strip() != signed["token"]
        assert await tool("logout") == (0, f"Signed out of {url}\n")
        assert kept(tmp_path) == (0o600, {})
        assert await tool("projects") == nobody
        assert (await tool("login --with-token", "no-such-token\n"))[0] == 4
        assert await tool("whoami") == nobody
        assert await tool("login --with-token", signed["token"] + "\n") == (0, ann)
        assert await tool("whoami") == (0, "Ann <ann@example.com>\n")
    code, written = await tool("whoami")
    assert (code, written.startswith("acme: the server cannot be reached")) == (1, True)
