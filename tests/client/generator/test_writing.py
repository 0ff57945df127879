"""The folder of a client."""

from pathlib import Path

import pytest

from client.generator.sample import golden, sample
from portico_client_runtime.generator import GeneratorError, generate
from requirements import requirement

FILES = set(golden())


def content(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


@requirement("ARCH-generated-folder")
def test_a_client_appears_and_stays_as_it_is(tmp_path: Path) -> None:
    stages: list[str] = []
    out = tmp_path / "deep" / "acme_client"
    first = generate(sample(), out, progress=stages.append)
    assert (first.is_new, dict(first.files), first.changes) == (True, dict.fromkeys(sorted(FILES), "added"), [])
    assert stages == [
        "describing 13 operations",
        "making 16 models",
        "making 5 resources",
        "formatting",
        f"writing {out}",
    ]
    before = (out / "aio.py").stat().st_mtime_ns
    again = generate(sample(), out)
    assert (again.is_new, dict(again.files), again.changes) == (False, {}, [])
    assert (content(out), (out / "aio.py").stat().st_mtime_ns) == (golden(), before)
    assert [path.name for path in out.parent.iterdir()] == ["acme_client"]


@requirement("ARCH-generated-folder")
def test_a_second_run_says_what_has_changed(tmp_path: Path) -> None:
    out = tmp_path / "acme_client"
    generate(sample(), out)
    document = sample()
    del document["paths"]["/two-factor/enable"]
    schemas, paths = document["components"]["schemas"], document["paths"]
    schemas["User"]["properties"]["age"] = {"type": ["integer", "null"]}
    schemas["User"]["properties"]["image"] = {"type": "string"}
    del schemas["Session"]["properties"]["metadata"]
    schemas["Role"]["enum"] = ["owner"]
    schemas["SignInEmail"]["properties"] |= {"captcha": {"type": "string"}, "rememberMe": {"type": "string"}}
    paths["/sign-out"]["post"]["responses"] = {"204": {"description": "Done"}}
    paths["/device/approve"] = {"post": {**paths["/sign-out"]["post"], "operationId": "deviceApprove"}}
    paths["/device/approve"]["post"]["x-portico"] = {"plugin": "core", "client": ["device", "approve"]}
    codes = document["components"]["responses"]["InvalidEmailOrPassword"]["content"]["application/json"]["schema"]
    codes["properties"]["code"]["enum"] = ["WRONG"]
    outcome = generate(document, out)
    assert outcome.changes == [
        "+ client.device.approve",
        "~ client.sign_in.email: remember_me: bool | Omit → str | Omit",
        "~ client.sign_in.email: + captcha: str | Omit",
        "~ client.sign_out: its reply: models.Status → None",
        "- client.two_factor.enable",
        "~ models.Role: it: Literal['owner', 'admin', 'member'] → Literal['owner']",
        "~ models.Session: - metadata",
        "- models.TwoFactorEnabled",
        "~ models.User: image: str | None → str",
        "~ models.User: + age: int | None",
        "+ code WRONG",
        "- code INVALID_EMAIL_OR_PASSWORD",
    ]
    assert dict(outcome.files) == dict.fromkeys(
        ["aio.py", "error_codes.py", "models.py", "operations.py", "sync.py"], "changed"
    )


@requirement("ARCH-generated-folder")
def test_a_check_changes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "acme_client"
    assert generate(sample(), out, is_check=True).is_new
    assert not out.exists()
    generate(sample(), out)
    (out / "aio.py").write_text((out / "aio.py").read_text() + "# mine\n")
    (out / "old.py").write_text((out / "plugins.py").read_text())
    (out / "sync.py").unlink()
    before = content(out)
    outcome = generate(sample(), out, is_check=True)
    assert dict(outcome.files) == {"aio.py": "changed", "old.py": "removed", "sync.py": "added"}
    assert content(out) == before
    generate(sample(), out)
    assert content(out) == golden()


@requirement("ARCH-generated-folder")
@pytest.mark.parametrize("name", ["notes.txt", "aio.py", "sub/mine.py", "py.typed", ".env"])
def test_a_folder_with_anything_else_is_left_alone(tmp_path: Path, name: str) -> None:
    out = tmp_path / "acme_client"
    generate(sample(), out)
    (out / name).parent.mkdir(exist_ok=True)
    (out / name).write_text("mine\n")
    before = content(out)
    with pytest.raises(GeneratorError, match=f"{name} was not generated: name another folder"):
        generate(sample(), out)
    assert content(out) == before


@requirement("ARCH-generated-folder")
def test_what_python_left_in_the_folder_is_no_reason_to_refuse(tmp_path: Path) -> None:
    out = tmp_path / "acme_client"
    generate(sample(), out)
    (out / "__pycache__").mkdir()
    (out / "__pycache__" / "aio.pyc").write_bytes(b"\0")
    document = sample()
    document["info"]["title"] = "Other"
    generate(document, out)
    assert set(content(out)) == FILES


@requirement("ARCH-generated-folder")
def test_a_document_that_is_refused_leaves_the_old_client(tmp_path: Path) -> None:
    out = tmp_path / "acme_client"
    generate(sample(), out)
    document = sample()
    document["paths"]["/sign-out"]["post"]["x-portico"]["client"] = ["session"]
    with pytest.raises(GeneratorError):
        generate(document, out)
    assert content(out) == golden()


@requirement("ARCH-generated-folder")
def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(GeneratorError, match="is a file: name a folder"):
        generate(sample(), tmp_path / "file")
    with pytest.raises(GeneratorError, match="cannot write to"):
        generate(sample(), tmp_path / "file" / "acme_client")
    assert content(tmp_path) == {"file": "mine"}


@requirement("ARCH-generated-folder")
@pytest.mark.parametrize("name", ["acme-client", "class", "1st"])
def test_a_folder_that_python_cannot_import_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(GeneratorError, match="is no name of a package: pass --package"):
        generate(sample(), tmp_path / name)
    with pytest.raises(GeneratorError, match="is no name of a package: write a Python name"):
        generate(sample(), tmp_path, package=name)
    assert content(tmp_path) == {}


@requirement("ARCH-generated-folder")
def test_a_project_is_made_once_and_its_package_again(tmp_path: Path) -> None:
    out = tmp_path / "acme-client"
    generate(sample(), out, package="acme_client")
    written = content(out)
    assert set(written) == {"README.md", "pyproject.toml", *(f"src/acme_client/{name}" for name in FILES)}
    assert 'name = "acme-client"' in written["pyproject.toml"]
    (out / "pyproject.toml").write_text("mine")
    (out / "src" / "acme_client" / "sync.py").unlink()
    generate(sample(), out, package="acme_client")
    assert content(out) == {**written, "pyproject.toml": "mine"}
