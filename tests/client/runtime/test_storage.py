"""Credentials at rest."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portico_client_runtime import CredentialStorage, FileStorage, MemoryStorage
from portico_client_runtime.errors import StorageError
from requirements import requirement

KEY = "https://example.com/api/auth"
TIMES = 10
FULL_DISK = """
import resource, signal, sys
from portico_client_runtime import FileStorage
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (8, 8))
try:
    FileStorage(sys.argv[1]).save(sys.argv[2], "x" * 100)
except Exception as error:
    print(type(error).__name__)
"""
WRITER = """
import sys
from portico_client_runtime import FileStorage
for number in range(int(sys.argv[2])):
    FileStorage(sys.argv[1]).save(f"{sys.argv[3]}-{number}", "v")
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "acme" / "credentials.json"


@requirement("ARCH-client-storage")
@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_storage_keeps_one_value_for_each_server(kind: str, file: Path) -> None:
    storage: CredentialStorage = MemoryStorage() if kind == "memory" else FileStorage(file)
    assert storage.load(KEY) is None
    storage.delete(KEY)
    storage.save(KEY, "one")
    storage.save("other", "two")
    storage.save(KEY, "three")
    assert (storage.load(KEY), storage.load("other")) == ("three", "two")
    storage.delete(KEY)
    assert (storage.load(KEY), storage.load("other")) == (None, "two")


@requirement("ARCH-client-storage")
def test_nobody_else_can_read_the_file_or_list_its_folder(file: Path) -> None:
    FileStorage(file).save(KEY, "s3cret")
    FileStorage(file).save(KEY, "s3cret again")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert sorted(path.name for path in file.parent.iterdir()) == ["credentials.json", "credentials.json.lock"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {0o600}


@requirement("ARCH-client-storage")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_file_that_others_can_read_is_refused_and_left_as_it_is(file: Path, mode: int) -> None:
    storage = FileStorage(file)
    storage.save(KEY, "one")
    file.chmod(mode)
    with pytest.raises(StorageError, match="chmod 600"):
        storage.load(KEY)
    with pytest.raises(StorageError, match="chmod 600"):
        storage.save(KEY, "two")
    with pytest.raises(StorageError, match="chmod 600"):
        storage.delete(KEY)
    file.chmod(0o600)
    assert storage.load(KEY) == "one"


@requirement("ARCH-client-storage")
def test_a_link_is_refused(file: Path) -> None:
    FileStorage(file).save(KEY, "one")
    link = file.with_name("link.json")
    link.symlink_to(file)
    with pytest.raises(StorageError, match="link"):
        FileStorage(link).load(KEY)


@requirement("ARCH-client-storage")
@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"null", b"\xff"])
def test_a_file_of_something_else_is_refused(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.touch(mode=0o600)
    file.write_bytes(content)
    with pytest.raises(StorageError, match="remove it"):
        FileStorage(file).load(KEY)
    assert file.read_bytes() == content


@requirement("ARCH-client-storage")
def test_a_place_that_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        FileStorage(tmp_path / "file" / "credentials.json").save(KEY, "v")
    with pytest.raises(StorageError):
        FileStorage(tmp_path / "file" / "credentials.json").load(KEY)


@requirement("ARCH-client-storage")
def test_a_write_that_fails_leaves_what_was_there(file: Path) -> None:
    FileStorage(file).save(KEY, "one")
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(file), KEY], capture_output=True, text=True, check=True)
    assert "StorageError" in done.stdout
    assert FileStorage(file).load(KEY) == "one"
    assert sorted(path.name for path in file.parent.iterdir()) == ["credentials.json", "credentials.json.lock"]


@requirement("ARCH-client-storage")
def test_a_folder_in_its_place_is_refused(file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(StorageError):
        FileStorage(file).save(KEY, "two")


@requirement("ARCH-client-storage")
def test_eight_threads_and_two_processes_lose_nothing(file: Path) -> None:
    def save(thread: int) -> None:
        for number in range(TIMES):
            FileStorage(file).save(f"t{thread}-{number}", "v")

    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(file), str(TIMES), f"p{number}"]) for number in range(2)
    ]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(save, range(8))) == [None] * 8
    assert [process.wait(timeout=30) for process in processes] == [0, 0]
    names = [f"{who}-{number}" for who in (*(f"t{n}" for n in range(8)), "p0", "p1") for number in range(TIMES)]
    assert {name: FileStorage(file).load(name) for name in names} == dict.fromkeys(names, "v")
