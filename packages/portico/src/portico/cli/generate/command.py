"""`portico generate`."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from portico.auth import Auth
from portico.cli.generate.alembic_revision import alembic_revision
from portico.cli.generate.django_migration import django_migration
from portico.cli.generate.django_models import django_models
from portico.cli.generate.sqlalchemy_models import sqlalchemy_models
from portico.cli.target import load
from portico.errors import ConfigError
from portico.store.connect import dialect_in
from portico.store.ddl.dialects import DdlDialect, DialectName, ddl_dialect_of
from portico.store.ddl.plan import creation

Format = Literal["sql", "sqlalchemy", "alembic", "django", "django-models"]
CALLED: dict[DialectName, str] = {
    "sqlite": "SQLite",
    "postgresql": "PostgreSQL",
    "mysql": "MySQL",
    "mssql": "SQL Server",
}


def generate(
    target: Annotated[str, typer.Argument(metavar="MODULE:AUTH", help="Where your Auth is, such as app:auth.")],
    *,
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            help="SQL; models of SQLAlchemy; a revision of Alembic; a migration, or models, of Django.",
        ),
    ] = "sql",
    dialect: Annotated[
        DialectName | None, typer.Option(help="The kind of database; that of your Auth by default.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write; the terminal by default.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    after: Annotated[
        str | None, typer.Option(metavar="REVISION", help="The revision of Alembic that this one follows.")
    ] = None,
    app: Annotated[
        str, typer.Option(metavar="LABEL", help="The app of Django that the migration is for.")
    ] = "accounts",
) -> None:
    """Write the tables of your Auth for a new database, without connecting to any.

    What a database that is in use lacks, `portico migrate --dry-run` prints.
    """
    auth = load(target)
    spoken = _dialect_of(auth, dialect, target)
    title = f"The tables of {target} on {CALLED[spoken.name]}, written by `portico generate`."
    written = _written(auth, form, spoken, title, after=after, app=app)
    if out is None:
        typer.echo(written, nl=False)
        return
    _save(written, out, replaces=force)
    typer.echo(f"wrote {out}")


def _dialect_of(auth: Auth[Any], named: DialectName | None, target: str) -> DdlDialect:
    kind = named or dialect_in(auth.store)
    if kind is None:
        raise ConfigError(f"{target} has no SQL database: say for which kind with --dialect, such as --dialect sqlite")
    return ddl_dialect_of(kind)


def _written(auth: Auth[Any], form: Format, dialect: DdlDialect, title: str, *, after: str | None, app: str) -> str:
    tables = auth.database_tables
    match form:
        case "sql":
            return f"-- {title}\n{creation(tables, dialect).sql}"
        case "sqlalchemy":
            return sqlalchemy_models(tables, dialect, title)
        case "alembic":
            return alembic_revision(tables, dialect, title, after=after)
        case "django":
            return django_migration(tables, dialect, title, app=app)
        case "django-models":
            return django_models(tables, dialect, title)


def _save(text: str, out: Path, *, replaces: bool) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("w" if replaces else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{out} is there already: name another file, or replace it with --force") from None
    except OSError as error:
        raise ConfigError(f"cannot write {out}: {error.strerror}") from error
