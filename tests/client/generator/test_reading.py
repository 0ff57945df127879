"""Documents that no client can be made of."""

from collections.abc import Callable
from typing import Any

import pytest

from client.generator.sample import sample
from portico_client_runtime.generator import GeneratorError
from portico_client_runtime.generator.reading import read
from requirements import requirement

Change = Callable[[Any], None]
SIGN_IN, RESET = "/sign-in/email", "/reset-password/{token}"


def swagger(document: Any) -> None:
    document["openapi"] = "3.0.3"


def nameless(document: Any) -> None:
    del document["paths"][SIGN_IN]["post"]["operationId"]


def without_session(document: Any) -> None:
    del document["paths"]["/get-session"]


def header(document: Any) -> None:
    document["paths"][SIGN_IN]["post"]["parameters"] = [{"in": "header", "name": "x-who", "schema": {"type": "string"}}]


def lost_placeholder(document: Any) -> None:
    document["paths"][RESET]["post"]["parameters"] = []


def form_only(document: Any) -> None:
    del document["paths"][SIGN_IN]["post"]["requestBody"]["content"]["application/json"]


def inline_body(document: Any) -> None:
    document["paths"][SIGN_IN]["post"]["requestBody"]["content"]["application/json"]["schema"] = {"type": "object"}


def body_of_a_list(document: Any) -> None:
    document["components"]["schemas"]["SignInEmail"] = {"type": "array", "items": {"type": "string"}}


def inline_reply(document: Any) -> None:
    document["paths"][SIGN_IN]["post"]["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "object"}


def html_reply(document: Any) -> None:
    document["paths"][SIGN_IN]["post"]["responses"]["200"]["content"] = {"text/html": {"schema": {"type": "string"}}}


def no_reply(document: Any) -> None:
    document["paths"][SIGN_IN]["post"]["responses"] = {"302": {"description": "Elsewhere"}}


def lost_component(document: Any) -> None:
    del document["components"]["schemas"]["SignedIn"]


def variant_of_anything(document: Any) -> None:
    document["components"]["schemas"]["TwoFactorRequired"]["required"] = []


def impossible_schema(document: Any) -> None:
    document["components"]["schemas"]["SignInEmail"]["properties"]["email"] = {"not": {"type": "string"}}


@requirement("ARCH-generated")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (swagger, "this is no OpenAPI 3.1 document: it says openapi: '3.0.3'"),
        (nameless, "POST /sign-in/email has no operationId"),
        (without_session, "no operation has the client path ['get_session'], which the session store reads"),
        (header, "POST /sign-in/email has the header parameter 'x-who'; a client sends none"),
        (
            lost_placeholder,
            "POST /reset-password/{token} has the placeholders ['token'] and the path parameters []",
        ),
        (form_only, "POST /sign-in/email takes application/x-www-form-urlencoded, and a client sends application/json"),
        (inline_body, "The body of POST /sign-in/email must refer to a component of the description, not to {'type': "),
        (body_of_a_list, "The body of POST /sign-in/email, 'SignInEmail', is no object, so it has no parameters"),
        (inline_reply, "The answer of POST /sign-in/email must refer to a component of the description, not to {"),
        (html_reply, "POST /sign-in/email answers text/html, and a client reads application/json"),
        (no_reply, "POST /sign-in/email has a client path and no answer that a method could return"),
        (lost_component, "must refer to a component of the description, not to #/components/schemas/SignedIn"),
        (variant_of_anything, "may be 'TwoFactorRequired', which requires nothing and so is every answer: name a key"),
        (impossible_schema, "POST /sign-in/email: 'email' has a schema that no signature can say: {'not': "),
    ],
)
def test_what_cannot_become_a_client_is_said_in_one_sentence(change: Change, message: str) -> None:
    document = sample()
    change(document)
    with pytest.raises(GeneratorError) as refusal:
        read(document)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@requirement("ARCH-generated")
@pytest.mark.parametrize(
    "part",
    [
        {"paths": []},
        {"paths": {"/x": {"get": {"x-portico": {"client": 5}, "operationId": "x"}}}},
        {"paths": {"/x": {"get": None}}},
        {"components": None},
        {"components": {"schemas": {"X": "text"}}},
        {"servers": "here"},
        {"x-portico": {"plugins": 1}},
    ],
)
def test_what_is_no_openapi_is_said(part: Any) -> None:
    with pytest.raises(GeneratorError):
        read({**sample(), **part})


@requirement("ARCH-generated")
def test_an_operation_without_a_client_path_is_not_in_the_client() -> None:
    described = read(sample())
    ids = [operation.id for operation in described.operations]
    assert "resetPasswordCallback" not in ids
    assert "resetPassword" in ids


@requirement("ARCH-generated")
def test_bodies_need_no_models() -> None:
    assert not {"SignInEmail", "CreateRole", "Invite", "SignInReply", "CurrentSession"} & read(sample()).schemas.keys()
