"""openapi-python-client reads the committed document without a warning, and what it writes works with a live server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module, invalidate_caches
from pathlib import Path
from typing import Any

import httpx
import pytest

from live import live
from openapi.lint import operations
from requirements import requirement

DOCUMENT = Path(__file__).parents[2] / "openapi" / "portico.json"
PACKAGE = "client_of_somebody_else"
ANN = {"name": "Ann", "email": "ann@example.com", "password": "password123"}

pytestmark = requirement("S-124", "ARCH-published")


class Client:
    """The generated package, and a client of it that keeps cookies."""

    def __init__(self, url: str) -> None:
        self.models = import_module(f"{PACKAGE}.models")
        self._url, self._package = f"{url}/api/auth", import_module(PACKAGE)
        self._client = self._package.Client(
            base_url=self._url, headers={"Origin": url}, raise_on_unexpected_status=True
        )

    def call(self, operation: str, **arguments: Any) -> Any:
        """Call an operation, such as `default.sign_in_email`."""
        return import_module(f"{PACKAGE}.api.{operation}").sync_detailed(client=self._client, **arguments)

    def bear(self, token: str) -> None:
        """Go on without cookies."""
        self.close()
        self._client = self._package.AuthenticatedClient(base_url=self._url, token=token)

    def close(self) -> None:
        http: httpx.Client = self._client.get_httpx_client()
        http.close()


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Generate the package, make it importable, and return what the generator said."""
    folder, bin_folder = tmp_path_factory.mktemp("generated"), Path(sys.executable).parent
    command: list[str | Path] = [
        bin_folder / "openapi-python-client",
        "generate",
        "--fail-on-warning",
        "--meta=none",
        f"--path={DOCUMENT}",
        f"--output-path={folder / PACKAGE}",
    ]
    # It looks for ruff, by which it formats, on the path.
    environment = {**os.environ, "PATH": os.pathsep.join([str(bin_folder), os.environ["PATH"]]), "COLUMNS": "1000"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    invalidate_caches()
    yield (done.stdout + done.stderr).replace(str(folder), "")
    sys.path.remove(str(folder))


@pytest.fixture
def client(written: str) -> Iterator[Client]:
    assert written
    with live() as url:
        client = Client(url)
        yield client
        client.close()


def signed_up(client: Client) -> Any:
    return client.call("default.sign_up_with_email_and_password", body=client.models.SignUpEmail(**ANN))


def test_the_generator_has_nothing_to_warn_of(written: str) -> None:
    assert written == f"Generating /{PACKAGE}\n"


def test_every_operation_has_a_module_that_can_be_imported(written: str) -> None:
    assert written
    folder = Path(str(import_module(PACKAGE).__file__)).parent / "api"
    modules = [path.relative_to(folder) for path in folder.rglob("*.py") if path.name != "__init__.py"]
    assert len(modules) == len(list(operations(json.loads(DOCUMENT.read_text()))))
    for path in modules:
        module = import_module(".".join([PACKAGE, "api", *path.with_suffix("").parts]))
        assert callable(module.sync_detailed)
        assert callable(module.asyncio_detailed)


def test_signing_up_and_in_gives_a_session_that_later_calls_have(client: Client) -> None:
    up = signed_up(client)
    assert type(up.parsed) is client.models.SignedUp
    client.call("default.sign_out")
    assert client.call("default.get_session").parsed is None

    signed_in = client.call(
        "default.sign_in_email",
        body=client.models.SignInEmail(email=ANN["email"], password=ANN["password"], remember_me=False),
    )
    assert (signed_in.status_code, type(signed_in.parsed)) == (200, client.models.SignedIn)
    assert "Max-Age" not in signed_in.headers["set-cookie"].partition("session_token=")[2].partition(",")[0]
    assert signed_in.parsed.user == up.parsed.user

    found = client.call("default.get_session")
    assert type(found.parsed) is client.models.SessionData
    assert (found.parsed.user.id, found.parsed.session.token) == (up.parsed.user.id, signed_in.parsed.token)
    assert [session.token for session in client.call("default.list_sessions").parsed] == [signed_in.parsed.token]


def test_a_refusal_comes_as_its_own_type_with_its_code(client: Client) -> None:
    signed_up(client)
    client.call("default.sign_out")
    wrong = client.models.SignInEmail(email=ANN["email"], password="not this one")
    refused = client.call("default.sign_in_email", body=wrong)
    code = client.models.SignInEmailResponse401Code.INVALID_EMAIL_OR_PASSWORD
    message = "Invalid email or password"
    assert refused.parsed == client.models.SignInEmailResponse401(message=message, code=code)
    assert refused.status_code == 401
    taken = signed_up(client)
    assert taken.parsed.code.value == "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"
    assert client.call("default.get_session").parsed is None


def test_enabling_two_factor_answers_with_one_of_its_types(client: Client) -> None:
    signed_up(client)
    refused = client.call("two_factor.two_factor_enable", body=client.models.EnableTwoFactor(password="not this one"))
    assert (refused.status_code, refused.parsed.code.value) == (400, "INVALID_PASSWORD")
    enabled = client.call("two_factor.two_factor_enable", body=client.models.EnableTwoFactor(password=ANN["password"]))
    assert type(enabled.parsed) is client.models.TwoFactorEnabled
    assert enabled.parsed.totp_uri.startswith("otpauth://totp/Portico:ann%40example.com?secret=")
    assert len(set(enabled.parsed.backup_codes)) == 10


def test_a_bearer_token_stands_for_the_cookie(client: Client) -> None:
    token = signed_up(client).headers["set-auth-token"]
    client.bear(token)
    assert client.call("default.get_session").parsed.user.email == ANN["email"]
    changed = client.call("default.update_user", body=client.models.UpdateUser(name="Ann Lee"))
    assert (changed.status_code, changed.parsed.status) == (200, True)
    assert client.call("default.get_session").parsed.user.name == "Ann Lee"
