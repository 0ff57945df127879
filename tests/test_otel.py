import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from portico import Auth, EmailAndPassword
from portico.context import Context
from portico.hooks import after, before
from portico.plugins.bearer import Bearer
from portico.store.adapter import Where
from portico.store.hooks import after_create, before_create
from portico.store.memory import MemoryStore
from portico.testing import Browser
from requirements import requirement

pytestmark = [pytest.mark.anyio, requirement("ARCH-otel")]
SITE = "http://localhost:3000"
SECRET = "a-secret-that-no-span-may-ever-hold-0123456789"
ANN = {"name": "Ann Secretive", "email": "ann@example.com", "password": "choose-a-password"}


@before("/sign-up/email")
async def look(ctx: Context) -> None:
    return None


@after("/sign-up/email")
async def look_back(ctx: Context, outcome: Any) -> Any:
    return outcome


@before_create("user")
async def before_user(ctx: Context, values: Mapping[str, Any]) -> None:
    if values["email"] == "broken@example.com":
        raise ValueError("a-message-of-a-hook")


@after_create("user")
async def after_user(ctx: Context, row: Any) -> None:
    return None


class Traced:
    """An Auth whose spans are kept."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.auth = Auth(
            secret=SECRET,
            base_url=SITE,
            plugins=[Bearer()],
            email_and_password=EmailAndPassword(enabled=True),
            hooks=[look, look_back],
            database_hooks=[before_user, after_user],
            instrumentation=provider,
        )
        self.browser = Browser(self.auth, SITE)

    def taken(self) -> tuple[ReadableSpan, ...]:
        spans = self.exporter.get_finished_spans()
        self.exporter.clear()
        return tuple(sorted(spans, key=lambda span: span.start_time or 0))


def tree(spans: tuple[ReadableSpan, ...]) -> list[tuple[int, str]]:
    """Return each span's depth and name in the order in which they began."""
    parents = {span.context.span_id: span.parent.span_id if span.parent else None for span in spans if span.context}

    def depth(identity: int | None) -> int:
        return -1 if identity is None else 1 + depth(parents[identity])

    return [(depth(span.context.span_id), span.name) for span in spans if span.context]


def attributes(spans: tuple[ReadableSpan, ...], name: str) -> dict[str, Any]:
    [found] = [span for span in spans if span.name == name]
    return dict(found.attributes or {})


async def test_a_call_has_spans_round_its_hooks_handler_and_queries() -> None:
    traced = Traced()
    assert (await traced.browser.post("/sign-up/email", ANN)).status == 200
    spans = traced.taken()
    assert tree(spans) == [
        (0, "POST /sign-up/email"),
        (1, "hook before /sign-up/email user"),
        (1, "handler /sign-up/email"),
        (2, "db findOne user"),
        (2, "db create.before user"),
        (2, "db create user"),
        (2, "db create account"),
        (2, "db create session"),
        (2, "db create.after user"),
        (1, "hook after /sign-up/email user"),
        (1, "hook after /sign-up/email plugin:bearer"),
    ]
    operation = {"http.route": "/sign-up/email", "better_auth.operation_id": "signUpWithEmailAndPassword"}
    assert attributes(spans, "POST /sign-up/email") == operation
    assert attributes(spans, "handler /sign-up/email") == operation
    hook = {"better_auth.hook.type": "after", "better_auth.context": "plugin:bearer"}
    assert attributes(spans, "hook after /sign-up/email plugin:bearer") == operation | hook
    assert attributes(spans, "db create account") == {"db.operation.name": "create", "db.collection.name": "account"}
    assert attributes(spans, "db create.before user") == {
        "better_auth.hook.type": "create.before",
        "better_auth.context": "user",
        "db.collection.name": "user",
    }


async def test_a_server_call_is_traced_as_one_over_http() -> None:
    traced = Traced()
    await traced.browser.post("/sign-up/email", ANN)
    traced.taken()
    assert await traced.auth.api.get_session(traced.browser.headers) is not None
    assert tree(traced.taken()) == [(0, "GET /get-session"), (1, "handler /get-session"), (2, "db findOne session")]


async def test_a_placeholder_stands_for_what_was_sent() -> None:
    traced = Traced()
    await traced.browser.get("/reset-password/a-token-that-is-secret", "callbackURL=/")
    assert attributes(traced.taken(), "GET /reset-password/:token")["http.route"] == "/reset-password/:token"


async def test_what_went_wrong_is_a_code_or_a_type_and_never_a_message() -> None:
    traced = Traced()
    reply = await traced.browser.post("/sign-in/email", ANN)
    spans = traced.taken()
    assert reply.status == 401
    assert attributes(spans, "handler /sign-in/email")["error.type"] == "INVALID_EMAIL_OR_PASSWORD"
    [handler] = [span for span in spans if span.name == "handler /sign-in/email"]
    assert (handler.status.is_ok, handler.status.description, handler.events) == (
        False,
        "INVALID_EMAIL_OR_PASSWORD",
        (),
    )

    assert (await traced.browser.post("/sign-up/email", ANN | {"email": "broken@example.com"})).status == 500
    spans = traced.taken()
    assert attributes(spans, "db create.before user")["error.type"] == "ValueError"
    assert "a-message-of-a-hook" not in "".join(str(span.to_json()) for span in spans)


@requirement("F08")
async def test_no_secret_is_in_a_span() -> None:
    traced = Traced()
    await traced.browser.post("/sign-up/email", ANN)
    for path in ("/sign-in/email", "/change-password", "/update-user", "/sign-out"):
        await traced.browser.post(path, ANN | {"currentPassword": ANN["password"], "newPassword": "another-password"})
    await traced.browser.get("/verify-email", "token=a-token-that-is-secret")
    spans = traced.taken()
    assert len(spans) > 30
    written = "".join(str(span.to_json()) for span in spans)
    secrets = [SECRET, *ANN.values(), "another-password", "a-token-that-is-secret", *traced.browser.cookies.values()]
    assert [secret for secret in secrets if secret in written] == []


async def test_turned_off_nothing_stands_in_the_way() -> None:
    auth = Auth(secret=SECRET, base_url=SITE, hooks=[look], instrumentation=False)
    assert isinstance(auth.store, MemoryStore)
    compiled = auth.handler.compiled["/sign-up/email"]
    assert (compiled.before[0].run, compiled.invoke) == (look, compiled.endpoint.handler.__get__(auth.api))


async def test_every_query_of_a_plugin_has_a_span() -> None:
    traced = Traced()
    store, table = traced.auth.store, traced.auth.tables["verification"]
    for value in ("1", "2"):
        now = traced.auth.clock()
        row = {"id": value, "identifier": "x", "value": value, "expires_at": now, "created_at": now, "updated_at": now}
        await store.create(table, row)
    traced.taken()
    assert await store.update_many(table, [], {"value": "3"}) == 2
    assert await store.count(table) == 2
    assert await store.delete(table, [Where("id", "1")])
    assert await store.delete_many(table, []) == 1
    assert [span.name for span in traced.taken()] == [
        *("db updateMany verification", "db count verification"),
        *("db delete verification", "db deleteMany verification"),
    ]


async def test_two_auths_on_one_store_trace_a_query_once() -> None:
    first, second = Traced(), InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(second))
    auth = Auth(secret=SECRET, base_url=SITE, database=first.auth.store, instrumentation=provider)
    await auth.store.count(auth.tables["user"])
    assert first.taken() == ()
    assert [span.name for span in second.get_finished_spans()] == ["db count user"]


def test_spans_begin_when_the_application_sets_up_its_provider() -> None:
    program = f"""
import anyio
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from portico import Auth
auth = Auth(secret={SECRET!r}, base_url={SITE!r})
anyio.run(auth.api.ok, None)
exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
anyio.run(auth.api.ok, None)
print([span.name for span in exporter.get_finished_spans()])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "['handler /ok', 'GET /ok']\n"


def test_without_opentelemetry_nothing_is_traced_and_asking_for_it_says_what_to_install() -> None:
    program = f"""
import sys
sys.modules["opentelemetry.trace"] = None
from portico import Auth, MemoryStore
from portico.errors import ConfigError
print(type(Auth(secret={SECRET!r}, base_url={SITE!r}).store).__name__)
try:
    Auth(secret={SECRET!r}, base_url={SITE!r}, instrumentation=True)
except ConfigError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "MemoryStore\ninstrumentation= needs OpenTelemetry: pip install 'portico[otel]'\n"
