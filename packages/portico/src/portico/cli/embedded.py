"""The Auth that `portico serve` runs when it is given none: on a SQLite file, with the secret beside it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portico.auth import Auth
from portico.cli.secret_file import secret_in
from portico.errors import ConfigError
from portico.options import AuthOptions, EmailAndPassword
from portico.plugins.bearer import Bearer
from portico.plugins.two_factor import TwoFactor
from portico.plugins.username import Username

OWN_SECRET = ("BETTER_AUTH_SECRET", "BETTER_AUTH_SECRETS", "AUTH_SECRET")
WELCOME = """\
Serving {address}{path}

  data    {database}
  secret  {secret}

Sign up, sign in, read the session:

  curl -c cookies.txt -H 'content-type: application/json' {url}/sign-up/email \\
    -d '{{"name": "Ann", "email": "ann@example.com", "password": "choose-a-password"}}'
  curl -c cookies.txt -H 'content-type: application/json' {url}/sign-in/email \\
    -d '{{"email": "ann@example.com", "password": "choose-a-password"}}'
  curl -b cookies.txt {url}/get-session

CTRL+C stops it."""


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """An Auth, and where it keeps what it must not lose."""

    auth: Auth[Any]
    database: Path
    secret: Path | None
    """None: the secret comes from the environment."""

    def welcome(self, address: str) -> str:
        """Return what to tell who started it."""
        site = self.auth.site
        secret = self.secret or "from the environment"
        return WELCOME.format(address=address, path=site.path, url=site.url, database=self.database, secret=secret)


def make(database: Path, address: str, environment: Mapping[str, str]) -> Embedded:
    """Return an Auth on the file `database`, served at `address` unless BETTER_AUTH_URL says something else."""
    database = database.absolute()
    if not database.parent.is_dir():
        raise ConfigError(f"there is no directory {database.parent} to keep {database.name} in")
    options: AuthOptions = {
        "database": f"sqlite:///{database}",
        "email_and_password": EmailAndPassword(enabled=True),
    }
    if not environment.get("BETTER_AUTH_URL"):
        options["base_url"] = address
        port = address.rpartition(":")[2]
        options["trusted_origins"] = [f"http://localhost:{port}", f"http://127.0.0.1:{port}"]
    secret: Path | None = None
    if not any(environment.get(name) for name in OWN_SECRET):
        secret = database.with_name(database.name + ".secret")
        options["secret"] = secret_in(secret)
    auth = Auth(plugins=[Bearer(), Username(), TwoFactor()], **options)
    _make_private(database)
    return Embedded(auth=auth, database=database, secret=secret)


def _make_private(database: Path) -> None:
    """Make the file, for its owner only, before SQLite makes it for everybody."""
    try:
        os.close(os.open(database, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise ConfigError(f"cannot write to {database}: {error.strerror}") from error
