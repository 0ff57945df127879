import pytest

from portico import ApiError, ConfigError, Headers
from portico.origin import Origins
from requirements import requirement

OWN = "https://app.example.org"


def refusal(
    origins: Origins, *headers: tuple[str, str], is_login: bool = False, is_navigable: bool = False
) -> str | None:
    try:
        origins.check_sender(Headers(headers), is_login=is_login, is_navigable=is_navigable)
    except ApiError as error:
        return error.error.code
    return None


@requirement("B-52", "C01", "S-209")
@pytest.mark.parametrize(
    ("pattern", "trusted", "foreign"),
    [
        (
            "https://Exact.example.com",
            ["https://exact.example.com"],
            ["http://exact.example.com", "https://example.com"],
        ),
        ("https://port.example.com:8443", ["https://port.example.com:8443"], ["https://port.example.com"]),
        (
            "https://*.example.com",
            ["https://a.example.com", "https://a.b.example.com"],
            [
                "https://example.com",
                "http://a.example.com",
                "https://a.example.com.evil.com",
                "https://evilexample.com",
                "https://evil.com%2f.example.com",
                "https://evil.com%23.example.com",
                "https://evil.com|.example.com",
                "https://[::1%25a].example.com",
            ],
        ),
        ("*.example.com", ["https://a.example.com", "http://a.example.com"], ["https://a.example.com.evil.com"]),
        ("https://**.example.com", ["https://a.example.com", "https://a.b.example.com"], ["https://example.com"]),
        (
            "https://app*.example.com",
            ["https://app.example.com", "https://app1.example.com"],
            ["https://example.com", "https://ap.example.com"],
        ),
        (
            "https://app?.example.com",
            ["https://app1.example.com"],
            ["https://app.example.com", "https://app12.example.com", "https://app?.example.com"],
        ),
        ("https://*.example.com/*", [], ["https://a.example.com"]),
        (
            "exp://**",
            ["exp://192.168.0.2:8081", "exp://192.168.0.2:8081/--/home", "exp://u.expo.test/a?b=c", "exp:x"],
            ["exps://192.168.0.2", "https://exp.example.com", "exp://a@b"],
        ),
        (
            "exp://192.168.*.*:*/**",
            ["exp://192.168.0.2:8081/home"],
            ["exp://10.0.0.2:8081/home", "exp://evil.com/192.168.0.2:8081/home", "exp://192.168.evil.com:1/home"],
        ),
        (
            "http://192.168.*.*:*",
            ["http://192.168.0.2:8081"],
            [
                "http://192.168.evil.com:8081",
                "http://192.168.0.2.evil.com:80",
                "http://192.168.0:1",
                "http://192.168.0.256:1",
            ],
        ),
        (
            "192.168.*",
            ["http://192.168.0.2", "https://192.168.0.2"],
            ["http://192.168.evil.com", "http://192.168.0.2:1.com"],
        ),
        (
            "myapp://home",
            ["myapp://home", "MYAPP://Home", "myapp://home/x", "myapp://home?a#b"],
            [
                "myapp://home.evil",
                "myapp://homes",
                "myapp://",
                "myapp:home",
                "myapp:/home",
                "myapp://x/home",
                "myapp://home:1",
            ],
        ),
        (
            "myapp://home/in",
            [
                "myapp://home/in",
                "myapp://home/in/",
                "myapp://home/in/x?y",
                "myapp://home/./x/../in",
                "myapp://home/in/x/../y",
                "myapp://home/%69n",
            ],
            [
                "myapp://home/inside",
                "myapp://home/in/../out",
                "myapp://home/in/%2e%2e/out",
                "myapp://home",
                "myapp://x/in",
            ],
        ),
        ("myapp://", ["myapp://anything", "myapp:/x", "MYAPP://x"], ["yourapp://x", "myapp2://x", "myapp://a@b"]),
    ],
)
def test_a_pattern_trusts_just_what_it_says(pattern: str, trusted: list[str], foreign: list[str]) -> None:
    origins = Origins(OWN, [pattern])
    assert [origins.trusts(url) for url in trusted] == [True] * len(trusted)
    assert [origins.trusts(url) for url in foreign] == [False] * len(foreign)


@requirement("C01", "B-52")
@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.org.evil.com",
        "https://evil.com/app.example.org",
        "https://app.example.org@evil.com",
        "https://app.example.org:8443",
        "http://app.example.org",
        "https://app.example.org\\evil.com",
        "https://[::1",
        "data:text/html,x",
        "https://",
        "x",
    ],
)
def test_what_only_looks_like_our_origin_is_foreign(origin: str) -> None:
    assert refusal(Origins(OWN, []), ("cookie", "a=b"), ("origin", origin)) == "INVALID_ORIGIN"


@requirement("B-48", "C01")
def test_a_request_with_cookies_says_where_it_comes_from() -> None:
    origins, cookie = Origins(OWN, []), ("cookie", "a=b")
    assert refusal(origins, cookie) == "MISSING_OR_NULL_ORIGIN"
    assert refusal(origins, cookie, ("origin", "null")) == "MISSING_OR_NULL_ORIGIN"
    assert refusal(origins, cookie, ("origin", "null"), ("sec-fetch-site", "same-origin")) is None
    assert refusal(origins, cookie, ("origin", "null"), ("sec-fetch-site", "cross-site")) == "MISSING_OR_NULL_ORIGIN"
    assert refusal(origins, cookie, ("referer", f"{OWN}/page?q=1")) is None
    assert refusal(origins, cookie, ("origin", OWN.upper())) is None
    assert refusal(origins, ("origin", "https://evil.com")) is None


@requirement("B-48", "C01", "ARCH-routes")
@pytest.mark.parametrize(
    ("site", "code"),
    [
        ("same-origin", None),
        ("none", None),
        ("same-site", "MISSING_OR_NULL_ORIGIN"),
        ("cross-site", "MISSING_OR_NULL_ORIGIN"),
        ("NONE", "MISSING_OR_NULL_ORIGIN"),
    ],
)
def test_where_a_browser_sends_no_origin_it_says_whose_page_it_was(site: str, code: str | None) -> None:
    sent = (("cookie", "a=b"), ("sec-fetch-site", site))
    assert refusal(Origins(OWN, []), *sent, is_navigable=True) == code
    assert refusal(Origins(OWN, []), *sent) == "MISSING_OR_NULL_ORIGIN"


@requirement("B-49", "C02")
def test_signing_in_from_a_foreign_page_is_refused_without_cookies_too() -> None:
    origins = Origins(OWN, [])
    navigation = (("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"))
    assert refusal(origins, *navigation, is_login=True) == "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"
    assert refusal(origins, *navigation, ("origin", OWN), is_login=True) == "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"
    assert refusal(origins, ("sec-fetch-mode", "cors"), is_login=True) == "MISSING_OR_NULL_ORIGIN"
    assert refusal(origins, ("sec-fetch-dest", "empty"), is_login=True) == "MISSING_OR_NULL_ORIGIN"
    assert refusal(origins, ("sec-fetch-site", "cross-site"), is_login=True) == "MISSING_OR_NULL_ORIGIN"
    assert refusal(origins, ("sec-fetch-mode", "cors"), ("origin", OWN), is_login=True) is None
    assert refusal(origins, ("origin", "https://evil.com"), is_login=True) == "INVALID_ORIGIN"
    assert refusal(origins, ("referer", "https://evil.com/x"), is_login=True) == "INVALID_ORIGIN"
    assert refusal(origins, is_login=True) is None


@requirement("B-50", "C04")
def test_each_target_has_a_code_of_its_own() -> None:
    origins = Origins(OWN, [])
    codes = {}
    for name in ("callbackURL", "redirectTo", "errorCallbackURL", "newUserCallbackURL"):
        with pytest.raises(ApiError) as refused:
            origins.check_targets({name: "https://evil.com"})
        codes[name] = refused.value.error.code
        origins.check_targets({name: f"{OWN}/x"})
        origins.check_targets({name: ""})
    assert codes == {
        "callbackURL": "INVALID_CALLBACK_URL",
        "redirectTo": "INVALID_REDIRECT_URL",
        "errorCallbackURL": "INVALID_ERROR_CALLBACK_URL",
        "newUserCallbackURL": "INVALID_NEW_USER_CALLBACK_URL",
    }


@requirement("B-50")
def test_a_target_that_is_no_text_is_a_bad_request() -> None:
    with pytest.raises(ApiError) as refused:
        Origins(OWN, []).check_targets({"callbackURL": 5})
    error = refused.value.error
    assert (error.status, error.code, error.message) == (400, None, "Invalid callbackURL: expected a string")


@requirement("B-51", "C04")
@pytest.mark.parametrize("url", ["/", "/home", "/a b", "/ünï", "/a/../b", "/p@x", "/a?next=%2F%2Fevil.com", "/a#b"])
def test_a_path_of_our_own_is_safe(url: str) -> None:
    Origins(OWN, []).check_targets({"callbackURL": url})


@requirement("B-51", "C04")
@pytest.mark.parametrize(
    "url",
    [
        "dash",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "//evil.com",
        "///evil.com",
        "/\\evil.com",
        "\\\\evil.com",
        "/%2Fevil.com",
        "/%5cevil.com",
        "/a\tb",
        "/a\nb",
        "/\x00",
        " /x",
        "https://app.example.org.evil.com/x",
        "https://app.example.org@evil.com",
        "https:evil.com",
        "https:/evil.com",
        "https://evil.com\\@app.example.org",
        "?x",
        "#x",
    ],
)
def test_a_hostile_target_is_refused(url: str) -> None:
    with pytest.raises(ApiError) as refused:
        Origins(OWN, ["https://*.example.com", "myapp://"]).check_targets({"callbackURL": url})
    assert refused.value.error.code == "INVALID_CALLBACK_URL"


@requirement("CONF-origins")
@pytest.mark.parametrize("pattern", ["example.com", "https://", "", "ht tp://x", "/path"])
def test_a_trusted_origin_that_is_none_is_a_mistake(pattern: str) -> None:
    with pytest.raises(ConfigError, match="trusted_origins holds"):
        Origins(OWN, [pattern])
