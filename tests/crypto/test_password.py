import os
import re
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from portico.crypto.password import Argon2id, CustomHasher, PasswordHasher, Passwords, Scrypt, Verdict
from portico.crypto.threads import NICENESS
from portico.errors import ConfigError
from requirements import requirement
from upstream import CRYPTO

SAMPLES: list[dict[str, Any]] = CRYPTO["password_scrypt"]["samples"]
COMPOSED: dict[str, Any] = CRYPTO["password_scrypt"]["normalizationCheck"]
SCRYPT_HASH: str = SAMPLES[0]["hash"]
CHEAP = Argon2id(memory_kib=8, iterations=1)

any_hasher = pytest.mark.parametrize("hasher", [CHEAP, Scrypt()], ids=["argon2id", "scrypt"])


class Reversed:
    """A hasher of an app's own; it counts its work."""

    def __init__(self) -> None:
        self.hashed = 0
        self.verified = 0
        self.threads: set[str] = set()

    def hash(self, password: str) -> str:
        self.hashed += 1
        self.threads.add(threading.current_thread().name)
        return f"reversed:{password[::-1]}"

    def verify(self, password: str, hashed: str) -> bool:
        self.verified += 1
        kind, _, text = hashed.partition(":")
        if kind != "reversed":
            raise ValueError(f"not a hash of mine: {hashed}")
        return text == password[::-1]


class ReversedInLoop:
    """The same, async, and with an opinion on old hashes."""

    async def hash(self, password: str) -> str:
        await anyio.lowlevel.checkpoint()
        return f"reversed:{password[::-1]}"

    async def verify(self, password: str, hashed: str) -> bool:
        await anyio.lowlevel.checkpoint()
        return hashed == f"reversed:{password[::-1]}"

    def needs_rehash(self, hashed: str) -> bool:
        return not hashed.startswith("reversed:")


class Peppered:
    """Argon2id of something else than the password itself."""

    def hash(self, password: str) -> str:
        return CHEAP.hash(password + "pepper")

    def verify(self, password: str, hashed: str) -> bool:
        return CHEAP.verify(password + "pepper", hashed)


@requirement("ARCH-passwords")
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: ascii(sample["password"])[:20])
def test_upstreams_hashes_are_verified(sample: dict[str, Any]) -> None:
    assert Scrypt().verify(sample["password"], sample["hash"])
    assert not Scrypt().verify(sample["password"] + "x", sample["hash"])


@requirement("ARCH-passwords", "E03")
def test_upstreams_normal_form_is_ours() -> None:
    for form in ("NFC", "NFD"):
        assert Scrypt().verify(unicodedata.normalize(form, "pässwörd"), COMPOSED["hash"])


@requirement("ARCH-passwords")
def test_new_hashes_have_the_layout_that_upstream_and_others_read() -> None:
    assert re.fullmatch(r"[0-9a-f]{32}:[0-9a-f]{128}", Scrypt().hash("password123"))
    layout = r"\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}"
    assert re.fullmatch(layout, Argon2id().hash("password123"))


@any_hasher
@requirement("E03")
@pytest.mark.parametrize(
    "password",
    [
        "",
        " ",
        " leading and trailing ",
        "nul\0nul",
        "\0",
        "🔐🔑",
        "密码",
        "x" * 5000,
        "x" * 72 + "z",
        "\ud800",
        "a\udfffb",
    ],
    ids=lambda password: ascii(password)[:24],
)
def test_a_password_is_hashed_as_it_is(hasher: PasswordHasher, password: str) -> None:
    hashed = hasher.hash(password)
    assert hasher.verify(password, hashed)
    assert not hasher.verify(password + " ", hashed)
    assert not hasher.verify(password[:-1] + "y", hashed)


@requirement("E03")
def test_argon2id_tells_trailing_nuls_apart() -> None:
    hashed = CHEAP.hash("password")
    assert not CHEAP.verify("password\0", hashed)
    assert not CHEAP.verify("password", CHEAP.hash("password\0"))


@any_hasher
@requirement("E03")
def test_a_password_typed_in_another_normal_form_is_the_same(hasher: PasswordHasher) -> None:
    assert hasher.verify("fi", hasher.hash("ﬁ"))
    assert hasher.verify("a\u0308", hasher.hash("\u00e4"))


@any_hasher
@requirement("I01")
@pytest.mark.parametrize(
    "hashed",
    [
        "",
        ":",
        "$",
        "plain",
        "ü",
        "\ud800",
        SCRYPT_HASH[:-1],
        SCRYPT_HASH + "0",
        SCRYPT_HASH + "\n",
        SCRYPT_HASH.upper(),
        SCRYPT_HASH.replace(":", "$"),
        "$argon2id$",
        "$argon2id$v=19$m=8,t=1,p=1$$",
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$ü",
        "$argon2id$v=19$m=x,t=1,p=1$c29tZXNhbHQ$c29tZXNhbHQ",
        "$argon2id$v=19$m=8,m=8,t=1,p=1$c29tZXNhbHQ$c29tZXNhbHQ",
        "$argon2id$v=19$m=8,t=0,p=1$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA",
        "$argon2id$v=19$m=1,t=1,p=1$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA",
        "$argon2id$v=99$m=8,t=1,p=1$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA",
        "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA",
        "$2b$12$abcdefghijklmnopqrstuuvwxyz",
    ],
    ids=lambda hashed: ascii(hashed)[:60],
)
def test_a_malformed_hash_is_wrong(hasher: PasswordHasher, hashed: str) -> None:
    assert not hasher.verify("password123", hashed)
    assert hasher.needs_rehash(hashed)


@requirement("E04")
@pytest.mark.parametrize(
    "figures",
    ["m=1048577,t=1,p=1", "m=4294967295,t=1,p=1", "m=8,t=101,p=1", "m=8,t=4294967295,p=1", "m=1048576,t=1,p=65"],
)
def test_figures_that_would_take_gigabytes_or_hours_are_wrong(figures: str) -> None:
    assert not CHEAP.verify("password", f"$argon2id$v=19${figures}$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA")


@requirement("ARCH-passwords")
def test_hashes_made_with_the_largest_figures_are_verified() -> None:
    most = Argon2id(memory_kib=8 * 64, iterations=100, parallelism=64)
    assert Argon2id().verify("password123", most.hash("password123"))


@requirement("ARCH-passwords")
def test_hashes_made_with_other_figures_are_verified_and_outdated() -> None:
    stronger = Argon2id(memory_kib=64, iterations=3, parallelism=2)
    hashed = CHEAP.hash("password123")
    assert stronger.verify("password123", hashed)
    assert stronger.needs_rehash(hashed)
    assert not CHEAP.needs_rehash(hashed)
    assert Argon2id().needs_rehash(SCRYPT_HASH)
    assert Scrypt().needs_rehash(hashed)
    assert not Scrypt().needs_rehash(SCRYPT_HASH)


@requirement("ARCH-passwords")
@pytest.mark.parametrize(
    "make",
    [
        lambda: Argon2id(memory_kib=7),
        lambda: Argon2id(memory_kib=15, parallelism=2),
        lambda: Argon2id(memory_kib=2**20 + 1),
        lambda: Argon2id(iterations=0),
        lambda: Argon2id(iterations=101),
        lambda: Argon2id(parallelism=0),
        lambda: Argon2id(parallelism=65),
    ],
)
def test_figures_that_cannot_work_are_refused(make: Callable[[], Argon2id]) -> None:
    with pytest.raises(ConfigError, match="choose"):
        make()


@pytest.mark.anyio
@requirement("ARCH-passwords")
async def test_upstreams_hash_is_right_and_outdated_when_argon2id_is_configured() -> None:
    passwords = Passwords(CHEAP)
    assert await passwords.verify("password123", SCRYPT_HASH) is Verdict.OUTDATED
    assert await passwords.verify("password124", SCRYPT_HASH) is Verdict.WRONG
    assert await passwords.verify("password123", await passwords.hash("password123")) is Verdict.RIGHT


@pytest.mark.anyio
@requirement("ARCH-passwords")
async def test_argon2id_is_right_and_outdated_when_upstreams_hash_is_configured() -> None:
    passwords = Passwords(Scrypt())
    assert await passwords.verify("password123", CHEAP.hash("password123")) is Verdict.OUTDATED
    assert await passwords.verify("password123", SCRYPT_HASH) is Verdict.RIGHT


@requirement("ARCH-passwords")
def test_a_verdict_is_true_unless_it_is_wrong() -> None:
    assert Verdict.RIGHT
    assert Verdict.OUTDATED
    assert not Verdict.WRONG
    assert list(Verdict) == ["right", "outdated", "wrong"]


@pytest.mark.anyio
@requirement("S-173")
@pytest.mark.parametrize("hasher", [Reversed(), ReversedInLoop()], ids=["sync", "async"])
async def test_a_hasher_of_the_apps_own_is_used(hasher: CustomHasher) -> None:
    passwords = Passwords(hasher)
    hashed = await passwords.hash("secret")
    assert hashed == "reversed:terces"
    assert await passwords.verify("secret", hashed) is Verdict.RIGHT
    assert await passwords.verify("other", hashed) is Verdict.WRONG
    assert await passwords.verify("secret", "garbage") is Verdict.WRONG


@pytest.mark.anyio
@requirement("S-173", "ARCH-passwords")
async def test_known_hashes_stay_good_beside_a_hasher_of_the_apps_own() -> None:
    assert await Passwords(Reversed()).verify("password123", SCRYPT_HASH) is Verdict.RIGHT
    assert await Passwords(ReversedInLoop()).verify("password123", SCRYPT_HASH) is Verdict.OUTDATED
    assert await Passwords(Reversed()).verify("password124", SCRYPT_HASH) is Verdict.WRONG


@pytest.mark.anyio
@requirement("S-173")
async def test_a_hasher_of_the_apps_own_may_use_a_known_form() -> None:
    passwords = Passwords(Peppered())
    assert await passwords.verify("secret", await passwords.hash("secret")) is Verdict.RIGHT
    assert await passwords.verify("other", await passwords.hash("secret")) is Verdict.WRONG


@pytest.mark.anyio
@requirement("E01", "S-002")
async def test_no_hash_is_wrong_and_costs_one_piece_of_work_like_any_other() -> None:
    hasher = Reversed()
    passwords = Passwords(hasher)
    for done in range(1, 5):
        assert await passwords.verify("decoy", None) is Verdict.WRONG
        assert hasher.hashed + hasher.verified == done
    assert hasher.hashed == 1


class Polite(Reversed):
    """Notes the priority of each thread that it works in."""

    def __init__(self) -> None:
        super().__init__()
        self.priorities: list[int] = []

    def hash(self, password: str) -> str:
        self.priorities.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return super().hash(password)


@pytest.mark.anyio
@requirement("ARCH-passwords")
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
async def test_hashing_gives_way_to_what_serves_requests() -> None:
    hasher = Polite()
    await Passwords(hasher).hash("secret")
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert (hasher.priorities, os.getpriority(os.PRIO_PROCESS, 0)) == ([min(19, own + NICENESS)], own)


@requirement("ARCH-passwords")
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process may use every core")
def test_only_the_cores_that_the_process_may_use_are_counted() -> None:
    program = (
        "import os\n"
        "from portico.crypto.threads import usable_cores\n"
        "cores = os.sched_getaffinity(0)\n"
        "assert usable_cores() == len(cores)\n"
        "os.sched_setaffinity(0, {min(cores)})\n"
        "assert usable_cores() == 1\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


@pytest.mark.anyio
@requirement("ARCH-passwords")
async def test_hashing_leaves_the_event_loop() -> None:
    hasher = Reversed()
    await Passwords(hasher).hash("secret")
    assert threading.current_thread().name not in hasher.threads


class Gate(Reversed):
    """Lets nobody out before `enough` are inside, and notes how many there were at most."""

    def __init__(self, enough: int) -> None:
        super().__init__()
        self._barrier = threading.Barrier(enough)
        self._lock = threading.Lock()
        self._inside = 0
        self.most = 0
        self.entered = threading.Event()

    def open(self) -> None:
        """Be one of those who are inside."""
        self._barrier.wait(5)

    def hash(self, password: str) -> str:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self.entered.set()
        self._barrier.wait(5)
        with self._lock:
            self._inside -= 1
        return super().hash(password)


@pytest.mark.anyio
@requirement("E04")
async def test_no_more_than_the_allowed_hashes_are_computed_at_once() -> None:
    gate = Gate(2)
    passwords = Passwords(gate, parallel=2)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for _ in range(6):
                tasks.start_soon(passwords.hash, "secret")
    assert (gate.hashed, gate.most) == (6, 2)


@pytest.mark.anyio
@requirement("ARCH-passwords")
async def test_what_nobody_waits_for_is_not_hashed() -> None:
    gate = Gate(2)
    passwords = Passwords(gate, parallel=1)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(passwords.hash, "first")
            # Who was started first need not run first.
            await anyio.to_thread.run_sync(gate.entered.wait, 5)
            async with anyio.create_task_group() as impatient:
                impatient.start_soon(passwords.hash, "second")
                await anyio.wait_all_tasks_blocked()
                impatient.cancel_scope.cancel()
            await anyio.to_thread.run_sync(gate.open)
        assert await passwords.verify("first", "reversed:tsrif")
    assert (gate.hashed, gate.most) == (1, 1)


@requirement("ARCH-passwords")
@pytest.mark.parametrize(
    "backends", [("asyncio", "asyncio"), ("trio", "trio"), ("asyncio", "trio"), ("trio", "asyncio")]
)
def test_one_auth_serves_several_event_loops_in_turn(backends: tuple[str, str]) -> None:
    passwords = Passwords(CHEAP, parallel=1)

    async def use() -> None:
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(passwords.verify, "secret", None)
        assert await passwords.verify("secret", await passwords.hash("secret")) is Verdict.RIGHT

    for backend in backends:
        anyio.run(use, backend=backend)
