"""What an application can be written for."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Framework:
    """How the application of a framework is installed and started."""

    title: str
    serve: str
    """The command, on port 3000."""
    extra: str | None
    """Of portico; None: it needs none."""


UVICORN = "uvicorn app:app --port 3000"
FRAMEWORKS: Mapping[str, Framework] = {
    "fastapi": Framework(title="FastAPI", serve=UVICORN, extra="fastapi"),
    "starlette": Framework(title="Starlette", serve=UVICORN, extra="starlette"),
    "litestar": Framework(title="Litestar", serve=UVICORN, extra="litestar"),
    "flask": Framework(title="Flask", serve="flask run --port 3000", extra="flask"),
    "quart": Framework(title="Quart", serve=UVICORN, extra="quart"),
    "django": Framework(title="Django", serve="python manage.py runserver --noreload 3000", extra="django"),
    "aiohttp": Framework(title="aiohttp", serve="python app.py", extra="aiohttp"),
    "none": Framework(title="no framework", serve="portico serve auth:auth --port 3000", extra=None),
}
