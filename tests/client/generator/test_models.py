"""What becomes of replies."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from client.generator.golden.acme_client import models, operations
from client.generator.sample import sample
from portico_client_runtime.generator.reading import read
from requirements import requirement

NOW = "2026-01-02T03:04:05.678Z"
USER = {
    "name": "Ann",
    "email": "ann@example.com",
    "emailVerified": False,
    "image": None,
    "createdAt": NOW,
    "updatedAt": NOW,
    "id": "1",
}
SIGNED_IN = {"redirect": False, "token": "t", "user": USER}
CHALLENGE = {"twoFactorRedirect": True, "twoFactorMethods": ["totp"]}


@requirement("ARCH-generated-types")
@pytest.mark.parametrize(
    ("reply", "variant"),
    [
        (SIGNED_IN, models.SignedIn),
        ({**SIGNED_IN, "url": None, "twoFactorRedirect": False}, models.SignedIn),
        (CHALLENGE, models.TwoFactorRequired),
        ({**CHALLENGE, "attemptsLeft": 3}, models.TwoFactorRequired),
    ],
)
def test_a_reply_is_the_variant_whose_keys_it_has(reply: Any, variant: type[BaseModel]) -> None:
    assert type(operations.SIGN_IN_EMAIL.adapter.validate_python(reply)) is variant


@requirement("ARCH-generated-types")
@pytest.mark.parametrize(
    "reply", [{}, None, [], {"twoFactorRedirect": True}, {**CHALLENGE, "twoFactorRedirect": False}, {"user": USER}]
)
def test_a_reply_without_the_keys_of_a_variant_is_none(reply: Any) -> None:
    with pytest.raises(ValidationError):
        operations.SIGN_IN_EMAIL.adapter.validate_python(reply)


@requirement("ARCH-generated-types")
def test_of_two_variants_the_one_that_requires_more_comes_first() -> None:
    document = sample()
    schemas = document["components"]["schemas"]
    vague = {"type": "object", "properties": {"token": {"type": "string"}, "user": {}}, "required": ["token"]}
    schemas["Vague"] = vague
    schemas["SignInReply"]["anyOf"] = [
        {"type": "null"},
        {"$ref": "#/components/schemas/Vague"},
        {"$ref": "#/components/schemas/SignedIn"},
    ]
    (operation,) = (each for each in read(document).operations if each.id == "signInEmail")
    assert operation.reply == "models.SignedIn | models.Vague | None"


@requirement("ARCH-generated-types")
def test_models_know_the_names_of_the_wire_and_keep_what_they_do_not_know() -> None:
    user = models.User.model_validate({**USER, "twoFactorEnabled": True, "shoeSize": 42})
    assert (user.created_at, user.two_factor_enabled) == (datetime(2026, 1, 2, 3, 4, 5, 678000, UTC), True)
    assert user.model_dump(by_alias=True, exclude_unset=True, mode="json") == {
        **USER,
        "twoFactorEnabled": True,
        "shoeSize": 42,
        "createdAt": "2026-01-02T03:04:05.678000Z",
        "updatedAt": "2026-01-02T03:04:05.678000Z",
    }
    rule = models.Rule(resource="project", actions=["read"], from_=None)
    assert rule.model_dump(by_alias=True, exclude_unset=True) == {
        "resource": "project",
        "actions": ["read"],
        "from": None,
    }


@requirement("ARCH-generated-types")
def test_lists_null_and_nothing_are_replies() -> None:
    assert operations.GET_SESSION.adapter.validate_python(None) is None
    assert operations.LIST_SESSIONS.adapter.validate_python([]) == []
    assert operations.RESET_PASSWORD.adapter.validate_python(None) is None
    (made,) = operations.ORGANIZATION_LIST.adapter.validate_python([{"id": "1", "name": "Acme", "kind": "team"}])
    assert (type(made), made.kind, made.logo) == (models.Organization, "team", None)
