import pytest

from client.generator.sample import sample
from portico_client_runtime import AsyncBaseClient, BaseClient
from portico_client_runtime.generator import GeneratorError, render
from portico_client_runtime.generator.names import RUNTIME_NAMES, snake_case
from portico_client_runtime.generator.reading import read
from requirements import requirement


@requirement("ARCH-generated-names")
@pytest.mark.parametrize(
    ("wire", "name"),
    [
        ("callbackURL", "callback_url"),
        ("newUserCallbackURL", "new_user_callback_url"),
        ("totpURI", "totp_uri"),
        ("redirectURIs", "redirect_uris"),
        ("userId", "user_id"),
        ("entityID", "entity_id"),
        ("SAMLResponse", "saml_response"),
        ("isOAuthProxy", "is_oauth_proxy"),
        ("device_code", "device_code"),
        ("two-factor", "two_factor"),
        ("emailVerified", "email_verified"),
        ("oauth2Callback", "oauth2_callback"),
    ],
)
def test_names_are_those_that_python_would_give(wire: str, name: str) -> None:
    assert snake_case(wire) == name


@requirement("ARCH-generated-names")
def test_names_that_python_or_every_model_has_get_an_underscore() -> None:
    described = read(sample())
    (invite,) = (each for each in described.operations if each.id == "organizationInvite")
    assert [(each.name, each.wire) for each in invite.parameters] == [
        ("email", "email"),
        ("role", "role"),
        ("class_", "class"),
    ]
    models = render(sample())["models.py"]
    assert 'schema_: Annotated[str | None, Field(alias="schema")] = None' in models
    assert 'from_: Annotated[datetime | None, Field(alias="from")] = None' in models


@requirement("ARCH-generated-names")
@pytest.mark.parametrize("name", ["session", "store", "call", "plugin", "close", "aclose", "send", "with_options"])
def test_a_client_path_that_hides_the_runtime_is_refused(name: str) -> None:
    document = sample()
    document["paths"]["/sign-out"]["post"]["x-portico"]["client"] = [name]
    with pytest.raises(GeneratorError, match=f"POST /sign-out has the client path {name}, which clients need"):
        read(document)


@requirement("ARCH-generated-names")
@pytest.mark.parametrize("client", [AsyncBaseClient, BaseClient])
def test_every_attribute_of_the_runtime_is_reserved(client: type[object]) -> None:
    assert {name for name in dir(client) if not name.startswith("_")} <= RUNTIME_NAMES


@requirement("ARCH-generated-names")
def test_two_operations_with_one_client_path_are_refused() -> None:
    document = sample()
    document["paths"]["/sign-out"]["post"]["x-portico"]["client"] = ["sign_in", "email"]
    with pytest.raises(
        GeneratorError, match=r"POST /sign-out and POST /sign-in/email have one client path, sign_in\.email"
    ):
        read(document)


@requirement("ARCH-generated-names")
def test_two_client_paths_with_one_constant_are_refused() -> None:
    document = sample()
    document["paths"]["/sign-out"]["post"]["x-portico"]["client"] = ["sign_in_email"]
    with pytest.raises(GeneratorError, match=r"'sign_in\.email' and 'sign_in_email' 'SIGN_IN_EMAIL'"):
        read(document)


@requirement("ARCH-generated-names")
def test_one_name_in_body_and_query_is_refused() -> None:
    document = sample()
    query = {"in": "query", "name": "newPassword", "required": False, "schema": {"type": "string"}}
    document["paths"]["/reset-password/{token}"]["post"]["parameters"].append(query)
    with pytest.raises(GeneratorError, match=r"POST /reset-password/\{token\} calls both 'newPassword' and"):
        read(document)


@requirement("ARCH-generated-names")
@pytest.mark.parametrize("segments", [["Sign", "out"], ["sign-out"], ["_out"], [""]])
def test_a_client_path_that_is_no_python_is_refused(segments: list[str]) -> None:
    document = sample()
    document["paths"]["/sign-out"]["post"]["x-portico"]["client"] = segments
    with pytest.raises(GeneratorError, match="write it in snake_case"):
        read(document)


@requirement("ARCH-generated-names")
@pytest.mark.parametrize(
    ("first", "second"), [("userID", "user_id"), ("callbackURL", "callback_url"), ("class", "class_")]
)
def test_two_fields_with_one_python_name_are_refused(first: str, second: str) -> None:
    document = sample()
    document["components"]["schemas"]["User"]["properties"] |= {
        first: {"type": "string"},
        second: {"type": "string"},
    }
    with pytest.raises(GeneratorError, match=f"The component 'User' calls both '{first}' and '{second}'"):
        read(document)


@requirement("ARCH-generated-names")
@pytest.mark.parametrize("name", ["None", "Literal['x']", "1st", "TypeError", "a b", ""])
def test_a_component_that_can_be_no_class_is_refused(name: str) -> None:
    document = sample()
    document["components"]["schemas"][name] = {"type": "object", "properties": {}}
    with pytest.raises(GeneratorError, match="no class can be called after the component"):
        read(document)


@requirement("ARCH-generated-names")
@pytest.mark.parametrize("name", ["Field", "Model", "Annotated", "TypeAliasType"])
def test_a_component_that_hides_what_models_are_made_of_is_refused_or_works(name: str) -> None:
    document = sample()
    document["components"]["schemas"]["User"]["properties"]["odd"] = {"$ref": f"#/components/schemas/{name}"}
    document["components"]["schemas"][name] = {"type": "object", "properties": {"oddName": {"type": "string"}}}
    with pytest.raises(GeneratorError, match=f"no model could be called {name}"):
        render(document)
