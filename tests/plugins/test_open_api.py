import json
import re
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from app import ORIGIN, content, plain
from portico import ConfigError, Context
from portico.openapi import document
from portico.plugins.open_api import SCALAR, SCALAR_INTEGRITY, OpenApi
from portico.plugins.two_factor import TwoFactor
from portico.testing import Browser
from requirements import requirement

pytestmark = pytest.mark.anyio


def header(headers: tuple[tuple[str, str], ...], name: str) -> str | None:
    return dict(headers).get(name)


def configuration(page: str) -> Any:
    found = re.search(r'<script id="configuration" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


@requirement("S-124", "S-141")
@pytest.mark.parametrize("path", ["/open-api/generate-schema", "/generate-openapi-schema"])
async def test_the_document_is_served_under_upstreams_path_and_the_briefs(path: str) -> None:
    auth = plain(OpenApi(), TwoFactor())
    answer = content(await Browser(auth, ORIGIN).get(path))
    validate(answer)
    assert answer == json.loads(json.dumps(document(auth)))
    assert answer["servers"] == [{"url": "http://localhost:3000/api/auth"}]


@requirement("S-141")
async def test_server_code_gets_the_document_typed() -> None:
    described = await plain(OpenApi()).api.open_api.generate_schema(None)
    assert described.openapi == "3.1.0"
    assert "/sign-in/email" in described.paths
    assert described.marks == {"plugins": ["open-api"]}


@requirement("S-123")
async def test_the_page_embeds_the_document_and_loads_one_known_script() -> None:
    auth = plain(OpenApi(theme="moon"))
    response = await Browser(auth, ORIGIN).get("/reference")
    page = response.body.decode()
    assert configuration(page)["content"] == json.loads(json.dumps(document(auth)))
    assert configuration(page)["theme"] == "moon"
    assert f'src="{SCALAR}" integrity="{SCALAR_INTEGRITY}" crossorigin="anonymous"' in page
    assert header(response.headers, "content-type") == "text/html"


@requirement("S-123", "C05")
async def test_the_page_has_a_policy_with_a_new_nonce_each_time() -> None:
    browser = Browser(plain(OpenApi()), ORIGIN)
    nonces: list[str] = []
    for _ in range(2):
        response = await browser.get("/reference")
        policy = header(response.headers, "content-security-policy") or ""
        found = re.search(r"script-src 'nonce-([^']+)'", policy)
        assert found is not None
        assert response.body.count(f'nonce="{found[1]}"'.encode()) == 2
        assert "default-src 'none'" in policy
        nonces.append(found[1])
    assert len(set(nonces)) == 2


@requirement("S-123")
async def test_an_app_with_a_policy_of_its_own_gives_the_nonce() -> None:
    def nonce(ctx: Context) -> str:
        return '"><script>'

    response = await Browser(plain(OpenApi(nonce=nonce)), ORIGIN).get("/reference")
    assert header(response.headers, "content-security-policy") is None
    assert response.body.count(b'nonce="&quot;&gt;&lt;script&gt;"') == 2


@requirement("C05")
async def test_a_text_of_the_document_stays_a_text() -> None:
    name = "</script><script>alert(1)</script>"
    response = await Browser(plain(OpenApi(), app_name=name), ORIGIN).get("/reference")
    page = response.body.decode()
    assert name not in page
    assert configuration(page)["content"]["info"]["title"] == name


@requirement("S-123")
async def test_the_script_may_be_a_file_that_the_plugin_serves(tmp_path: Path) -> None:
    script = tmp_path / "standalone.js"
    script.write_bytes(b"void 0;")
    browser = Browser(plain(OpenApi(script=script, path="/docs")), ORIGIN)
    page = (await browser.get("/docs")).body.decode()
    served = await browser.get("/docs/script.js")
    assert 'src="/api/auth/docs/script.js" integrity="sha384-' in page
    assert (served.status, served.body) == (200, b"void 0;")
    assert header(served.headers, "content-type") == "text/javascript; charset=utf-8"
    assert (await browser.get("/reference")).status == 404
    with pytest.raises(ConfigError, match="OpenApi cannot read the script"):
        plain(OpenApi(script=tmp_path / "missing.js"))


@requirement("S-123")
async def test_the_page_may_be_left_out() -> None:
    browser = Browser(plain(OpenApi(disable_default_reference=True)), ORIGIN)
    assert (await browser.get("/reference")).status == 404
    assert (await browser.get("/open-api/generate-schema")).status == 200
    plain_page = Browser(plain(OpenApi()), ORIGIN)
    assert (await plain_page.get("/reference/script.js")).status == 404


@requirement("S-141", "ARCH-values")
async def test_what_a_caller_does_with_the_document_is_nobody_elses_business() -> None:
    auth = plain(OpenApi())
    described = await auth.api.open_api.generate_schema(None)
    described.paths["/sign-in/email"].clear()
    assert (await auth.api.open_api.generate_schema(None)).paths["/sign-in/email"].keys() == {"post"}
