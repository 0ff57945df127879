"""`portico client generate`, from an application to a client that calls it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.running import environment, portico
from client.generator.sample import SPEC, golden
from requirements import requirement

APP = '''
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import portico
from portico import (
    ApiError, Auth, Column, Context, EmailAndPassword, ErrorCode, Plugin, RateLimitOptions, Wire, endpoint
)

SULKING = ErrorCode(409, "SULKING", "Not today")


class Greet(Wire):
    to_whom: str
    callback_url: str | None = None
    """Where the answer goes."""


class Greeted(Wire):
    text: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Greetings(Plugin):
    """Says hello."""

    id: ClassVar[str] = "greetings"

    @endpoint("POST", "/greetings/say-hello", session="required", errors=(SULKING,))
    async def say_hello(self, ctx: Context, body: Greet) -> Greeted:
        """Say hello to somebody."""
        if body.to_whom == "Bob":
            raise ApiError(SULKING)
        return Greeted(text=f"{self.signed_in(ctx).user.name} greets {body.to_whom}")


class User(portico.User):
    nickname: Annotated[str, Column(input=True)]


class Api(portico.Api[User, portico.Session]):
    greetings = Greetings()


auth = Auth(
    secret="a-secret-that-no-log-may-ever-contain-0123456789",
    base_url="http://localhost:3000",
    email_and_password=EmailAndPassword(enabled=True),
    rate_limit=RateLimitOptions(enabled=False),
    api=Api,
)
'''
PROGRAM = """
import inspect, json, typing
import anyio
from app import auth
from acme_auth import AsyncAuthClient, ErrorCode, errors, greetings_client, models


async def main():
    plugins = [greetings_client()]
    async with AsyncAuthClient("http://localhost:3000", transport=auth.transport(), plugins=plugins) as ann:
        signed_up = await ann.sign_up.email(
            name="Ann", email="ann@example.com", password="password123", nickname="Annie"
        )
        greeted = await ann.greetings.say_hello(to_whom="you")
        try:
            await ann.greetings.say_hello(to_whom="Bob")
        except errors.Conflict as error:
            code = error.code
        print(json.dumps({
            "nickname": [models.User.model_fields["nickname"].is_required(), signed_up.user.nickname],
            "greeted": [type(greeted).__name__, greeted.text],
            "code": [code, code in typing.get_args(ErrorCode)],
            "types": inspect.get_annotations(type(ann.greetings).say_hello),
            "doc": inspect.getdoc(ann.greetings.say_hello),
        }))


anyio.run(main)
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


@requirement("S-230", "ARCH-generated")
def test_a_client_of_an_app_has_its_fields_and_plugins(app: Path) -> None:
    done = portico("client", "generate", "app:auth", "--out", "acme_auth", cwd=app)
    assert (done.returncode, done.stderr) == (0, "")
    stages = done.stdout.splitlines()
    assert stages[0] == "reading app:auth"
    assert [stage.partition(" ")[0] for stage in stages] == [
        "reading",
        "describing",
        "making",
        "making",
        "formatting",
        "writing",
        "acme_auth",
    ]
    assert stages[-1] == "acme_auth is ready"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=app,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
    said = json.loads(ran.stdout)
    assert said.pop("doc").splitlines()[:4] == [
        "Say hello to somebody.",
        "",
        "Args:",
        "    callback_url: Where the answer goes.",
    ]
    assert said == {
        "nickname": [True, "Annie"],
        "greeted": ["Greeted", "Ann greets you"],
        "code": ["SULKING", True],
        "types": {
            "to_whom": "str",
            "callback_url": "str | None | Omit",
            "options": "RequestOptions | None",
            "return": "models.Greeted",
        },
    }


@requirement("S-230", "ARCH-generated-folder")
def test_a_second_run_says_what_the_app_has_new(app: Path) -> None:
    command = ("client", "generate", "app:auth", "--out", "acme_auth")
    portico(*command, cwd=app)
    unchanged = portico(*command, "--check", cwd=app)
    assert (unchanged.returncode, unchanged.stdout.splitlines()[-1]) == (0, "acme_auth is up to date")
    changed = APP.replace('"SULKING"', '"GRUMPY"').replace("nickname: Annotated[str,", "age: Annotated[int,")
    (app / "app.py").write_text(changed.replace('"/greetings/say-hello"', '"/greetings/say-goodbye"'))
    expected = [
        "  + client.greetings.say_goodbye",
        "  - client.greetings.say_hello",
        "  ~ client.sign_up.email: - nickname",
        "  ~ client.sign_up.email: + age: int",
        "  ~ client.update_user: - nickname",
        "  ~ client.update_user: + age: int | Omit",
        "  ~ models.User: - nickname",
        "  ~ models.User: + age: int",
        "  + code GRUMPY",
        "  - code SULKING",
        "changed aio.py",
        "changed error_codes.py",
        "changed models.py",
        "changed operations.py",
        "changed sync.py",
    ]
    check = portico(*command, "--check", cwd=app)
    assert (check.returncode, check.stdout.splitlines()[5:]) == (1, [*expected, "acme_auth is out of date"])
    again = portico(*command, cwd=app)
    assert (again.returncode, again.stdout.splitlines()[6:]) == (0, [*expected, "acme_auth is up to date"])


@requirement("ARCH-generated")
def test_a_document_in_a_file_is_as_good_as_an_app(tmp_path: Path) -> None:
    done = portico("client", "generate", "--spec", str(SPEC), "--out", "acme_client", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    written = {path.name: path.read_text() for path in (tmp_path / "acme_client").iterdir()}
    assert written == golden()


@requirement("S-257", "ARCH-generated-folder")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "say either where your Auth is, such as app:auth, or --spec and where its description is"),
        (("app:auth", "--spec", "x.json"), "say either where your Auth is"),
        (("app:nothing",), "'app' has no 'nothing'"),
        (("--spec", "none.json"), "cannot read none.json: No such file or directory"),
        (("--spec", "app.py"), "app.py is no JSON"),
        (("--spec", "list.json"), "list.json is no OpenAPI document"),
        (("--spec", "empty.json"), "this is no OpenAPI 3.1 document"),
        (("--spec", "http://127.0.0.1:9/openapi.json"), "cannot read http://127.0.0.1:9/openapi.json: "),
        (("app:auth", "--package", "a-b"), "'a-b' is no name of a package: write a Python name"),
    ],
)
def test_a_mistake_is_said_in_one_sentence(app: Path, arguments: tuple[str, ...], message: str) -> None:
    (app / "list.json").write_text("[]")
    (app / "empty.json").write_text("{}")
    done = portico("client", "generate", *arguments, "--out", "acme_auth", cwd=app)
    assert done.returncode == 2
    assert done.stderr.startswith(f"portico: {message}")
    assert done.stderr.count("\n") == 1
    assert not (app / "acme_auth").exists()


@requirement("S-257", "ARCH-generated-folder")
def test_a_folder_of_somebody_else_is_left_alone(app: Path) -> None:
    (app / "acme_auth").mkdir()
    (app / "acme_auth" / "mine.py").write_text("mine\n")
    done = portico("client", "generate", "app:auth", "--out", "acme_auth", cwd=app)
    assert done.returncode == 2
    assert "mine.py was not generated: name another folder" in done.stderr
    assert [path.name for path in (app / "acme_auth").iterdir()] == ["mine.py"]


@requirement("S-257")
def test_without_the_generator_the_extra_is_named(app: Path) -> None:
    program = "import sys; sys.modules['jinja2'] = None; from portico.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "client", "generate", "app:auth", "--out", "acme_auth"],
        cwd=app,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "portico: generating a client needs jinja2: pip install 'portico[client]', "
        "which brings 'portico-client-runtime[generator]'\n",
    )
