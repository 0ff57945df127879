import json
import pkgutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from app import make, plain
from openapi.lint import RULES, Rule
from portico import plugins
from portico.openapi import document
from portico.published import LEFT_OUT, PublishedApi, published_document
from requirements import requirement

COMMITTED = Path(__file__).parents[2] / "openapi" / "portico.json"
DOCUMENTS: dict[str, Any] = {
    "published": published_document,
    "of an app": lambda: document(make()),
    "without plugins": lambda: document(plain()),
}


def read(name: str) -> Any:
    return json.loads(json.dumps(DOCUMENTS[name]()))


@requirement("ARCH-openapi", "S-124")
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_validator_accepts_the_document(name: str) -> None:
    validate(read(name))


@requirement("ARCH-openapi")
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_keeps_the_rule(rule: Rule, name: str) -> None:
    assert list(rule(read(name))) == []


def broken(document: Any) -> dict[str, Any]:
    """Break every rule, each in a copy of its own."""
    copies: dict[str, Any] = {rule.__name__: deepcopy(document) for rule in RULES}
    sign_in: dict[str, Any] = {name: each["paths"]["/sign-in/email"]["post"] for name, each in copies.items()}
    copies["is_openapi_31"]["openapi"] = "3.0.3"
    sign_in["operation_ids_are_unique"]["operationId"] = "signOut"
    sign_in["operations_have_a_summary_a_tag_and_security"]["tags"] = ["Nobody's"]
    sign_in["security_is_none_or_cookie_or_bearer"]["security"] = [{"cookie": [], "bearer": []}]
    sign_in["bodies_are_named"]["requestBody"]["content"]["application/json"]["schema"] = {"type": "object"}
    sign_in["json_replies_are_named"]["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "object"}
    sign_in["refusals_are_shared_and_list_their_codes"]["responses"]["401"] = {"description": "No"}
    del sign_in["every_operation_tells_its_refusals"]["responses"]["415"]
    nullable = copies["scalars_that_may_be_null_say_so_in_their_type"]["components"]["schemas"]["User"]
    nullable["properties"]["image"] = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    copies["nothing_is_empty"]["components"]["schemas"]["User"]["properties"]["image"] = {"description": "?"}
    copies["everything_named_is_used"]["components"]["schemas"]["Unused"] = {"type": "string"}
    sign_in["no_name_is_in_body_and_query"]["parameters"] = [{"in": "query", "name": "email"}]
    sign_in["client_names_do_not_collide"]["x-portico"]["client"] = ["sign_up", "email"]
    copies["plugins_are_listed"]["x-portico"]["plugins"] = []
    return copies


@requirement("ARCH-openapi")
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_finds_a_document_that_breaks_it(rule: Rule) -> None:
    assert list(rule(broken(read("published"))[rule.__name__])) != []


@requirement("ARCH-published")
def test_the_committed_document_is_the_one_of_today() -> None:
    assert COMMITTED.read_text() == json.dumps(published_document(), indent=2, ensure_ascii=False) + "\n", (
        "run `nox -s generate` and review the difference"
    )


@requirement("ARCH-published")
def test_the_published_api_has_every_plugin_or_says_why_not() -> None:
    modules = {module.name for module in pkgutil.iter_modules(plugins.__path__)}
    published = {type(value).__module__.split(".")[2] for value in vars(PublishedApi).values() if hasattr(value, "id")}
    assert modules == published | LEFT_OUT.keys()


@requirement("ARCH-published")
def test_what_a_plugin_adds_is_required_of_an_app_that_has_it_and_of_nobody_else() -> None:
    user, published = (read(name)["components"]["schemas"]["User"] for name in ("of an app", "published"))
    mark = {"plugin": "username"}
    assert user["properties"]["username"]["x-portico"] == published["properties"]["username"]["x-portico"] == mark
    assert "username" in user["required"]
    assert published["required"] == ["name", "email", "emailVerified", "image", "createdAt", "updatedAt", "id"]
    assert read("published")["components"]["schemas"]["TwoFactorRequired"]["x-portico"] == {"plugin": "two-factor"}
