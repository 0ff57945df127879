"""Where a token comes from, and where it is kept."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from keyring.errors import KeyringLocked

from client.cli.desk import Desk, Drawer, Outcome
from client.runtime.scripted import SESSION, Answer, Scripted, reply
from portico_client_runtime import CredentialStorage
from portico_client_runtime.cli import KeyringStorage
from portico_client_runtime.errors import StorageError
from requirements import requirement

pytestmark = requirement("ARCH-cli-tokens")

KEY = ("acme", "default https://acme.example.com")
BACKENDS = """
from keyring.backend import KeyringBackend

class Plain(KeyringBackend):
    priority = 0.5
    kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]

class Safe(Plain):
    priority = 5
"""
FIND = """
from portico_client_runtime.cli import KeyringStorage, system_keyring
keyring = system_keyring()
if keyring is None:
    print(None)
else:
    storage = KeyringStorage(keyring, "acme")
    storage.save("one", "t1")
    print(f"{type(keyring).__name__}: {storage.load('one')}")
    storage.delete("one")
    assert storage.load("one") is None
"""


def answered(desk: Desk, *answers: Answer) -> Scripted:
    server = Scripted(*answers)
    desk.options = {"transport": server.transport}
    return server


# The environment


def test_the_token_of_the_environment_comes_first_and_is_never_kept(alone: Desk) -> None:
    alone.keyring = Drawer()
    server = answered(alone, reply(SESSION), reply(SESSION, 200, ("set-auth-token", "prolonged")))
    assert alone.log_in("t1").code == 0
    kept, files = dict(alone.keyring.kept), alone.files
    assert alone.run("token", ACME_TOKEN="t2") == Outcome(0, "t2\n", "")
    assert alone.run("whoami", ACME_TOKEN="t2").code == 0
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer t1", "Bearer t2"]
    assert (alone.keyring.kept, alone.files) == (kept, files)


def test_it_needs_neither_keyring_nor_folder(alone: Desk) -> None:
    alone.keyring = Drawer(trouble=KeyringLocked("locked"))
    answered(alone, reply(SESSION))
    assert alone.run("whoami", ACME_TOKEN="t2").out == "Ann <ann@example.com>\n"
    assert not alone.folder.exists()


@pytest.mark.parametrize("command", ["login", "login --with-token", "logout"])
def test_nobody_signs_in_or_out_while_it_is_set(alone: Desk, command: str) -> None:
    server = answered(alone)
    ended = alone.run(command, "t1\n", ACME_TOKEN="t2")
    assert ended == Outcome(2, "", "acme: ACME_TOKEN is set and comes first: unset it to sign in or out here\n")
    assert (server.lines, alone.files) == ([], {})


def test_one_that_the_server_does_not_accept_is_told_by_its_name(alone: Desk) -> None:
    answered(alone, reply(None))
    assert alone.run("whoami", ACME_TOKEN="t2") == Outcome(
        4, "", f"acme: {alone.url} does not accept the token of ACME_TOKEN\n"
    )


def test_an_empty_one_is_none(alone: Desk) -> None:
    assert alone.run("token", ACME_TOKEN="").code == 4


def test_variables_are_called_after_the_tool(alone: Desk) -> None:
    alone.login = {"app": "acme-admin.x"}
    assert alone.run("token", ACME_ADMIN_X_TOKEN="t3").out == "t3\n"


# The keyring


def test_with_a_keyring_no_token_is_in_a_file(alone: Desk) -> None:
    alone.keyring = drawer = Drawer()
    answered(alone, reply(SESSION), reply(SESSION))
    assert alone.log_in("t1") == Outcome(0, "", f"Signed in to {alone.url} as Ann <ann@example.com>\n")
    assert drawer.kept == {KEY: "t1"}
    assert list(alone.files) == ["profiles.json"]
    assert "t1" not in alone.files["profiles.json"]
    assert alone.run("whoami").code == 0
    assert alone.run("token").out == "t1\n"
    answered(alone, reply({"success": True}))
    assert alone.run("logout").code == 0
    assert drawer.kept == {}


def test_a_prolonged_session_has_its_new_token_kept_in_the_same_place(alone: Desk) -> None:
    alone.keyring = drawer = Drawer()
    prolonged = reply(SESSION, 200, ("set-auth-token", "t2"))
    answered(alone, reply(SESSION), prolonged)
    alone.log_in("t1")
    alone.run("whoami")
    assert drawer.kept == {KEY: "t2"}
    answered(alone, reply(SESSION, 200, ("set-auth-token", "t4")))
    alone.log_in("t3")
    assert drawer.kept == {KEY: "t4"}


def test_insecure_storage_keeps_it_in_a_file_that_nobody_else_can_read(alone: Desk) -> None:
    alone.keyring = drawer = Drawer()
    answered(alone, reply(SESSION), reply(SESSION), reply(SESSION))
    alone.log_in("t1")
    assert alone.log_in("t2", "--insecure-storage").code == 0
    # What was there before is not left behind.
    assert drawer.kept == {}
    assert json.loads(alone.files["credentials.json"]) == {"default https://acme.example.com": "t2"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in alone.folder.iterdir()} == {0o600}
    assert stat.S_IMODE(alone.folder.stat().st_mode) == 0o700
    assert alone.run("token").out == "t2\n"
    alone.log_in("t3")
    assert (drawer.kept, json.loads(alone.files["credentials.json"])) == ({KEY: "t3"}, {})


def test_a_keyring_that_takes_nothing_is_replaced_by_the_file_and_that_is_said(alone: Desk) -> None:
    alone.keyring = Drawer(trouble=KeyringLocked("nobody unlocked it"))
    answered(alone, reply(SESSION))
    assert alone.log_in("t1") == Outcome(
        0,
        "",
        "acme: the keyring does not take the token: nobody unlocked it; it is in a file that only you can read\n"
        f"Signed in to {alone.url} as Ann <ann@example.com>\n",
    )
    assert alone.run("token").out == "t1\n"


def test_a_keyring_that_is_locked_later_is_one_sentence_and_nothing_is_lost(alone: Desk) -> None:
    alone.keyring = drawer = Drawer()
    answered(alone, reply(SESSION))
    alone.log_in("t1")
    drawer.trouble = KeyringLocked("nobody unlocked it")
    before = alone.files
    for command in ("whoami", "token", "logout"):
        assert alone.run(command) == Outcome(1, "", "acme: the keyring cannot be read: nobody unlocked it\n")
    alone.keyring = None
    ended = alone.run("token")
    assert (ended.code, ended.err) == (
        1,
        "acme: the token of profile default is in a keyring that cannot be used here: "
        "run `acme login --insecure-storage`, or set ACME_TOKEN\n",
    )
    assert alone.files == before
    drawer.trouble, alone.keyring = None, drawer
    assert alone.run("token").out == "t1\n"


@pytest.mark.parametrize("drawer", [None, Drawer(trouble=KeyringLocked("nobody unlocked it"))], ids=["gone", "locked"])
def test_who_cannot_reach_the_keyring_any_more_logs_in_with_a_file(alone: Desk, drawer: Drawer | None) -> None:
    alone.keyring = Drawer()
    answered(alone, reply(SESSION), reply(SESSION))
    alone.log_in("t1")
    alone.keyring = drawer
    assert alone.log_in("t2", "--insecure-storage") == Outcome(
        0,
        "",
        "acme: the token from before stays in a keyring that cannot be used here\n"
        f"Signed in to {alone.url} as Ann <ann@example.com>\n",
    )
    assert alone.run("token").out == "t2\n"


def test_a_keyring_is_a_storage_like_any_other() -> None:
    drawer = Drawer()
    storage: CredentialStorage = KeyringStorage(drawer, "acme")
    assert storage.load("one") is None
    storage.delete("one")
    storage.save("one", "1")
    storage.save("two", "2")
    storage.save("one", "3")
    assert (storage.load("one"), storage.load("two")) == ("3", "2")
    storage.delete("one")
    assert drawer.kept == {("acme", "two"): "2"}
    drawer.trouble = KeyringLocked()
    attempts: list[Callable[[], object]] = [
        lambda: storage.load("two"),
        lambda: storage.save("two", "4"),
        lambda: storage.delete("two"),
    ]
    for attempt in attempts:
        with pytest.raises(StorageError, match="KeyringLocked"):
            attempt()


@pytest.mark.parametrize(
    ("backend", "found"),
    [
        ("keyring.backends.fail.Keyring", "None"),
        ("keyring.backends.null.Keyring", "None"),
        ("own_keyring.Plain", "None"),
        ("own_keyring.Safe", "Safe: t1"),
    ],
)
def test_the_keyring_of_the_machine_is_used_if_it_keeps_secrets(tmp_path: Path, backend: str, found: str) -> None:
    (tmp_path / "own_keyring.py").write_text(BACKENDS)
    environment = {**os.environ, "PYTHON_KEYRING_BACKEND": backend, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", FIND], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == found


# The file


def test_a_file_that_others_can_read_is_refused(alone: Desk) -> None:
    answered(alone, reply(SESSION), reply(SESSION))
    alone.log_in("t1")
    (alone.folder / "credentials.json").chmod(0o644)
    for command in ("whoami", "token", "login --with-token"):
        ended = alone.run(command, "t2\n")
        assert (ended.code, ended.out, "chmod 600" in ended.err) == (1, "", True)
    assert "t2" not in alone.files["credentials.json"]
