import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from portico.cookies import (
    ACCOUNT_DATA,
    DONT_REMEMBER,
    OAUTH_STATE,
    REMEMBERED,
    SESSION_DATA,
    SESSION_TOKEN,
    STATE,
    CookieAttributes,
    CookieOverride,
    Cookies,
)
from portico.crypto.keyring import Keyring
from portico.crypto.signing import Signer
from portico.errors import ConfigError
from portico.http import Headers
from requirements import requirement
from upstream import COOKIES, CRYPTO, SECRET

SIGNER = Signer(Keyring(SECRET))
PLAIN = Cookies(SIGNER, secure=False)
SECURE = Cookies(SIGNER, secure=True)
NAME = "better-auth.session_token"
DATA = "better-auth.session_data"
LINE: str = COOKIES["sign_in_default"]["signUp"][0]
TOKEN: str = COOKIES["sign_in_default"]["body"]["token"]
SIGNED = LINE.partition(";")[0].partition("=")[2]
BOGUS = "bogus.c2lnbmF0dXJl"
ATTRIBUTES = "; Path=/; HttpOnly; SameSite=Lax"


def sent(cookies: str) -> Headers:
    return Headers([("cookie", cookies)])


def carried(lines: list[tuple[str, str]]) -> Headers:
    """Return the request that a browser makes after it got `lines`."""
    jar: dict[str, str] = {}
    for header, line in lines:
        assert header == "set-cookie"
        pair, _, attributes = line.partition("; ")
        name, _, value = pair.partition("=")
        if "Max-Age=0" in attributes:
            jar.pop(name, None)
        else:
            jar[name] = value
    return sent("; ".join(f"{name}={value}" for name, value in jar.items()))


# Names and attributes


@requirement("B-58")
def test_every_cookie_has_upstreams_name() -> None:
    names = {
        SESSION_TOKEN: "session_token",
        SESSION_DATA: "session_data",
        DONT_REMEMBER: "dont_remember",
        ACCOUNT_DATA: "account_data",
        STATE: "state",
        OAUTH_STATE: "oauth_state",
    }
    assert [PLAIN.name_of(name) for name in names] == [f"better-auth.{name}" for name in names.values()]


@requirement("B-58")
def test_the_session_cookie_is_upstreams() -> None:
    assert PLAIN.write("session_token", TOKEN, 604800) == ("set-cookie", LINE)
    assert PLAIN.read(sent(f"{NAME}={SIGNED}"), "session_token") == TOKEN


@requirement("B-58")
@pytest.mark.parametrize("sample", CRYPTO["signed_cookie"]["samples"], ids=lambda sample: sample["value"])
def test_signed_values_are_percent_encoded_as_upstreams(sample: dict[str, Any]) -> None:
    _, line = PLAIN.write("state", sample["value"], None)
    assert line == f"better-auth.state={sample['cookieValue']}{ATTRIBUTES}"
    assert PLAIN.read(sent(line), "state") == sample["value"]


@requirement("B-27", "S-131")
def test_a_cookie_without_lifetime_ends_with_the_browser() -> None:
    token, flag = COOKIES["sign_in_remember_false"]["signIn"]
    value = token.partition("=")[2].partition(".")[0]
    assert PLAIN.write("session_token", value, None) == ("set-cookie", token)
    assert PLAIN.write("dont_remember", "true", None) == ("set-cookie", flag)


@requirement("B-64", "S-202")
def test_the_state_cookie_is_upstreams() -> None:
    line = COOKIES["oauth_state_database"]["start"]["setCookie"][0]
    value = PLAIN.read(sent(line.partition(";")[0]), "state")
    assert value is not None
    assert PLAIN.write("state", value, 300) == ("set-cookie", line)


@requirement("B-94", "S-205g")
def test_an_unsigned_cookie_may_be_readable_for_scripts() -> None:
    cookies = Cookies(SIGNER, secure=False, custom={"last_used_login_method": CookieOverride(http_only=False)})
    expected = COOKIES["last_login_method"][0]
    assert cookies.write_plain("last_used_login_method", "email", 2592000) == ("set-cookie", expected)
    assert cookies.read_plain(sent(expected.partition(";")[0]), "last_used_login_method") == "email"


@requirement("B-29", "B-61")
def test_an_expired_cookie_keeps_its_attributes() -> None:
    names = ["session_token", "session_data", "dont_remember"]
    lines = [("set-cookie", line) for line in COOKIES["sign_in_default"]["signOut"]]
    assert [PLAIN.expire(name) for name in names] == lines


@requirement("S06")
def test_secure_cookies_are_upstreams() -> None:
    token, data = COOKIES["secure_https"]
    assert hidden(SECURE.write("session_token", TOKEN, 604800)) == token
    assert hidden(SECURE.write_plain("session_data", "x", 300)) == data


@requirement("S06", "S-208")
def test_cookies_for_all_subdomains_are_upstreams() -> None:
    cookies = Cookies(SIGNER, secure=True, cross_subdomain_domain=".example.com")
    assert hidden(cookies.write("session_token", TOKEN, 604800)) == COOKIES["cross_subdomain"][0]


@requirement("S-208")
def test_custom_names_and_attributes_are_upstreams() -> None:
    custom = {"session_token": CookieOverride(name="custom_session", same_site="strict", partitioned=True)}
    cookies = Cookies(SIGNER, secure=False, prefix="acme", custom=custom)
    assert hidden(cookies.write("session_token", TOKEN, 604800)) == COOKIES["custom_prefix_and_names"][0]
    assert cookies.read(sent(f"custom_session={SIGNED}; {NAME}={BOGUS}"), "session_token") == TOKEN
    assert cookies.expire("session_data")[1] == f"acme.session_data=; Max-Age=0{ATTRIBUTES}"


# Observed on upstream 1.7.24.
@requirement("S-208")
@pytest.mark.parametrize(
    ("secure", "defaults", "domain", "expected"),
    [
        (
            False,
            CookieOverride(
                same_site="none", secure=True, partitioned=True, http_only=False, path="/y", domain="d.example"
            ),
            None,
            "better-auth.state=; Max-Age=0; Domain=d.example; Path=/y; Secure; SameSite=None; Partitioned",
        ),
        (
            True,
            CookieOverride(secure=False),
            None,
            "__Secure-better-auth.state=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax",
        ),
        (
            True,
            CookieOverride(domain="z.example.com"),
            ".example.com",
            "__Secure-better-auth.state=; Max-Age=0; Domain=z.example.com; Path=/; HttpOnly; Secure; SameSite=Lax",
        ),
        (False, CookieOverride(same_site=None), None, "better-auth.state=; Max-Age=0; Path=/; HttpOnly"),
    ],
)
def test_changed_attributes_of_every_cookie_are_upstreams(
    secure: bool, defaults: CookieOverride, domain: str | None, expected: str
) -> None:
    cookies = Cookies(SIGNER, secure=secure, defaults=defaults, cross_subdomain_domain=domain)
    assert cookies.expire("state") == ("set-cookie", expected)


@requirement("S-208")
def test_attributes_of_one_cookie_change_only_that_one() -> None:
    custom = {"session_token": CookieOverride(name="sess", same_site="none", partitioned=True)}
    cookies = Cookies(SIGNER, secure=True, defaults=CookieOverride(path="/x"), custom=custom)
    assert cookies.expire("session_token")[1] == (
        "__Secure-sess=; Max-Age=0; Path=/x; HttpOnly; Secure; SameSite=None; Partitioned"
    )
    assert cookies.expire("state")[1] == (
        "__Secure-better-auth.state=; Max-Age=0; Path=/x; HttpOnly; Secure; SameSite=Lax"
    )


@requirement("S-208", "B-38")
def test_attributes_of_one_cookie_are_those_of_its_chunks() -> None:
    cookies = Cookies(SIGNER, secure=False, custom={"session_data": CookieOverride(path="/x", http_only=False)})
    known = sent(f"{DATA}.0=a; {DATA}.1=b; {DATA}.2=c")
    written = cookies.write_chunked("session_data", "v" * 5000, 60, known)
    expired = cookies.expire_chunked("session_data", known)
    assert [line.partition("; ")[2] for _, line in (*written, *expired)] == [
        *["Max-Age=60; Path=/x; SameSite=Lax"] * 2,
        *["Max-Age=0; Path=/x; SameSite=Lax"] * 5,
    ]


@requirement("S06")
def test_a_host_cookie_keeps_the_rules_of_its_name() -> None:
    custom = {"session_token": CookieOverride(name="__Host-s", secure=True)}
    cookies = Cookies(SIGNER, secure=False, custom=custom)
    assert cookies.expire("session_token")[1] == "__Host-s=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax"


@requirement("C06")
@pytest.mark.parametrize(
    ("given", "says"), [({"domain": "a;b"}, "domain='a;b'"), ({"path": "/a;b"}, "path='/a;b'")], ids=["domain", "path"]
)
def test_the_attribute_that_no_cookie_may_hold_is_named(given: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        CookieAttributes(**given)


@requirement("C06", "S06")
@pytest.mark.parametrize(
    "make",
    [
        lambda: Cookies(SIGNER, secure=False, prefix="a b"),
        lambda: Cookies(SIGNER, secure=False, prefix="a;b"),
        lambda: Cookies(SIGNER, secure=False, prefix="a\r\nb"),
        lambda: Cookies(SIGNER, secure=False, prefix="ü"),
        lambda: Cookies(SIGNER, secure=False, defaults=CookieOverride(name="all")),
        lambda: Cookies(SIGNER, secure=False, defaults=CookieOverride(path="/; Domain=evil.example")),
        lambda: Cookies(SIGNER, secure=False, cross_subdomain_domain="a.example\r\nx: y"),
        lambda: Cookies(SIGNER, secure=False, custom={"state": CookieOverride(name="")}),
        lambda: Cookies(SIGNER, secure=False, custom={"state": CookieOverride(name="a=b")}),
        lambda: Cookies(SIGNER, secure=False, custom={"state": CookieOverride(name="__Secure-x")}),
        lambda: Cookies(SIGNER, secure=False, custom={"state": CookieOverride(name="__Host-x")}),
        lambda: Cookies(
            SIGNER, secure=False, custom={"state": CookieOverride(name="__Host-x", secure=True, path="/x")}
        ),
        lambda: CookieAttributes(path="/\n"),
        lambda: CookieAttributes(path=""),
    ],
)
def test_names_and_attributes_that_no_browser_takes_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigError):
        make()


# Reading. What the cases below expect was observed on upstream 1.7.24.


@requirement("B-35", "S07")
def test_more_cookies_than_are_remembered_are_read_as_well() -> None:
    cookies = Cookies(SIGNER, secure=False)
    lines = [cookies.write("state", str(number), None)[1].partition(";")[0] for number in range(REMEMBERED + 2)]
    for number in (*range(len(lines)), 0, len(lines) - 1):
        assert cookies.read(sent(lines[number]), "state") == str(number)
    assert cookies.read(sent(lines[0].replace("=0", "=1", 1)), "state") is None


@requirement("B-35", "S07")
@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"{NAME}={SIGNED}", TOKEN),
        (f"{NAME}={unquote(SIGNED)}", TOKEN),
        (f'{NAME}="{SIGNED}"', TOKEN),
        (f'{NAME}="{unquote(SIGNED)}"', TOKEN),
        (f'{NAME}="{SIGNED}', None),
        (f"{NAME} = {SIGNED}", TOKEN),
        (f"a=b;{NAME}={SIGNED};c=d", TOKEN),
        (f"a=b;\t{NAME}={SIGNED}\t;c=d", TOKEN),
        (f"a=b;  {NAME}={SIGNED}  ;c=d", TOKEN),
        (f";;; ; =; =a; b; {NAME}={SIGNED};;", TOKEN),
        (f"a b=1; (x)=2; {NAME}={SIGNED}", TOKEN),
        (f"x=%zz; u=\xfc; {NAME}={SIGNED}", TOKEN),
        (f"{NAME}={SIGNED}%", None),
        (f"{NAME}={SIGNED}%FF", None),
        (f"better%2Dauth.session_token={SIGNED}", None),
        (f"{NAME.upper()}={SIGNED}", None),
        (f"a=b, {NAME}={SIGNED}", None),
        (f"x{NAME}={SIGNED}", None),
        (f"{NAME}x={SIGNED}", None),
        (f"{NAME}_multi-a={BOGUS}; {NAME}={SIGNED}", TOKEN),
        (f"a={NAME}={SIGNED}", None),
        (f"a={NAME}; {NAME}={SIGNED}", TOKEN),
        (f"{NAME}={TOKEN}", None),
        (f"{NAME}={BOGUS}", None),
        (f"{NAME}=", None),
        (NAME, None),
        (f"{NAME};", None),
        ("", None),
        (";" * 16_384, None),
        (f"{NAME}\ud800={SIGNED}", None),
        (f"{NAME}=\ud800", None),
    ],
)
def test_only_a_signed_value_is_read_however_it_is_spelled(header: str, expected: str | None) -> None:
    assert PLAIN.read(sent(header), "session_token") == expected


@requirement("S07")
def test_no_cookie_header_is_no_cookie() -> None:
    assert PLAIN.read(Headers(), "session_token") is None
    assert PLAIN.read_plain(Headers(), "session_token") is None
    assert PLAIN.read_chunked(Headers(), "session_data") is None


@requirement("S07")
@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"{NAME}={SIGNED}; {NAME}={BOGUS}", TOKEN),
        (f"{NAME}={BOGUS}; {NAME}={SIGNED}", None),
        (f"{NAME}=; {NAME}={SIGNED}", None),
        (f"{NAME} ={SIGNED}; {NAME}={BOGUS}", TOKEN),
        (f"{NAME} ={BOGUS}; {NAME}={SIGNED}", None),
    ],
)
def test_of_two_cookies_of_one_name_the_first_counts(header: str, expected: str | None) -> None:
    assert PLAIN.read(sent(header), "session_token") == expected


@requirement("S07", "B-35")
def test_secure_and_plain_names_are_never_mixed() -> None:
    plain, secure = f"{NAME}={SIGNED}", f"__Secure-{NAME}={SIGNED}"
    assert PLAIN.read(sent(secure), "session_token") is None
    assert SECURE.read(sent(plain), "session_token") is None
    for header in (f"{NAME}={BOGUS}; {secure}", f"{secure}; {NAME}={BOGUS}"):
        assert SECURE.read(sent(header), "session_token") == TOKEN
    for header in (f"__Secure-{NAME}={BOGUS}; {plain}", f"{plain}; __Secure-{NAME}={BOGUS}"):
        assert PLAIN.read(sent(header), "session_token") == TOKEN


@requirement("S07")
def test_our_cookie_is_found_among_much_junk() -> None:
    junk = "; ".join(f"junk{number}={'x' * 300}" for number in range(50))
    assert PLAIN.read(sent(f"{junk}; {NAME}={SIGNED}; {junk}"), "session_token") == TOKEN


@requirement("S02")
def test_a_plain_cookie_is_decoded_and_trusted_by_nobody() -> None:
    header = (
        'better-auth.a=%C3%BC%20x; better-auth.b=%zz%41; better-auth.c="q"; better-auth.d=%FF; better-auth.e=%2B%253D'
    )
    values = {name: PLAIN.read_plain(sent(header), name) for name in "abcdef"}
    assert values == {"a": "ü x", "b": "%zz%41", "c": "q", "d": "%FF", "e": "+%3D", "f": None}
    assert all(PLAIN.read(sent(header), name) is None for name in "abcdef")


@requirement("S07")
def test_several_cookies_are_taken_out_of_one_header() -> None:
    header = "better-auth.a=1; x=better-auth.b;better-auth.c=3; better-auth.a=4;  better-auth.d"
    assert {name: PLAIN.read_plain(sent(header), name) for name in "abcd"} == {"a": "1", "b": None, "c": "3", "d": ""}


@requirement("B-31")
@pytest.mark.parametrize("known", [None, f"a=b; {NAME}={BOGUS}"])
def test_a_signed_value_of_another_header_takes_the_place_of_the_cookie(known: str | None) -> None:
    headers = Headers() if known is None else sent(known)
    assert PLAIN.read(PLAIN.with_signed(headers, "session_token", unquote(SIGNED)), "session_token") == TOKEN
    assert PLAIN.read(PLAIN.with_signed(headers, "session_token", "a; b=c"), "session_token") is None
    signed = PLAIN.with_signed(headers, "session_token", unquote(SIGNED)).get("cookie")
    assert signed == f"{NAME}={SIGNED}" + ("" if known is None else f"; {known}")
    assert headers.get("cookie") == known


# Writing

HOSTILE = [
    "a; Domain=evil.example",
    "a\r\nset-cookie: x=y",
    "a\nb",
    "nul\0",
    "a,b c",
    '"q"',
    "=;=",
    "\u2028",
    "%0d%0a",
    "ü\ud800",
]


@requirement("C06")
@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_no_value_can_end_its_cookie(value: str) -> None:
    for cookies in (PLAIN, SECURE):
        for _, line in (
            cookies.write("state", value, 60),
            cookies.write_plain("state", value, 60),
            *cookies.write_chunked("state", value, 60, Headers()),
            *cookies.write_chunked("state", value * 1000, 60, sent("better-auth.state=x")),
        ):
            assert re.fullmatch(
                r"(__Secure-)?better-auth\.state(\.[0-9]+)?=[A-Za-z0-9\-_.~!'()*%]*"
                r"; Max-Age=(60|0); Path=/; HttpOnly(; Secure)?; SameSite=Lax",
                line,
            )


@requirement("C06", "B-58")
@pytest.mark.parametrize("value", [each for each in HOSTILE if "\ud800" not in each], ids=ascii)
def test_a_hostile_value_comes_back_as_it_was(value: str) -> None:
    for lines in ([PLAIN.write("state", value, 60)],):
        assert PLAIN.read(carried(lines), "state") == value
    assert PLAIN.read_plain(carried([PLAIN.write_plain("state", value, 60)]), "state") == value
    long = value * 1000
    assert PLAIN.read_chunked(carried(PLAIN.write_chunked("state", long, 60, Headers())), "state") == long


@requirement("I01")
def test_a_value_with_a_lone_surrogate_is_lost_and_breaks_nothing() -> None:
    assert PLAIN.read(carried([PLAIN.write("state", "a\ud800", 60)]), "state") is None


# Chunks. The layouts below were observed on upstream 1.7.24.


def shapes(lines: list[tuple[str, str]]) -> list[tuple[str, int, bool]]:
    """Return of each line the name, the length of the value, and whether it expires the cookie."""
    made: list[tuple[str, int, bool]] = []
    for _, line in lines:
        pair, _, attributes = line.partition("; ")
        name, _, value = pair.partition("=")
        assert attributes in {f"Max-Age={age}; Path=/; HttpOnly; SameSite=Lax" for age in (0, 300)}
        made.append((name, len(value), attributes.startswith("Max-Age=0;")))
    return made


@requirement("S-161", "B-38")
def test_a_long_value_is_cut_as_upstream_cuts_it() -> None:
    expected = [(each["name"], each["valueLength"], False) for each in COOKIES["cookie_cache_chunked"]["setCookie"][1:]]
    value = "x" * sum(length for _, length, _ in expected)
    lines = PLAIN.write_chunked("session_data", value, 300, Headers())
    assert shapes(lines) == expected
    assert PLAIN.read_chunked(carried(lines), "session_data") == value


@requirement("S-161")
def test_a_value_is_cut_when_its_line_is_longer_than_4050_letters() -> None:
    overhead = len(f"{DATA}=; Max-Age=300{ATTRIBUTES}")
    assert shapes(PLAIN.write_chunked("session_data", "x" * (4050 - overhead), 300, Headers())) == [
        (DATA, 4050 - overhead, False)
    ]
    assert shapes(PLAIN.write_chunked("session_data", "x" * (4051 - overhead), 300, Headers())) == [
        (f"{DATA}.0", 3977, False),
        (f"{DATA}.1", 4051 - overhead - 3977, False),
    ]


@requirement("S-161", "B-27")
def test_chunks_of_a_cookie_without_lifetime_use_the_room_of_its_attribute() -> None:
    lines = PLAIN.write_chunked("session_data", "x" * 5000, None, Headers())
    first = 3977 + len("; Max-Age=300")
    assert lines == [
        ("set-cookie", f"{DATA}.0={'x' * first}{ATTRIBUTES}"),
        ("set-cookie", f"{DATA}.1={'x' * (5000 - first)}{ATTRIBUTES}"),
    ]


SHORT, LONG = 800, 9000


@requirement("S-161")
@pytest.mark.parametrize(
    ("before", "length", "expected"),
    [
        ([""], SHORT, [("", 800, False)]),
        (["", ".0", ".1"], SHORT, [("", 800, False), (".0", 0, True), (".1", 0, True)]),
        ([".1", ".0"], SHORT, [(".1", 0, True), (".0", 0, True), ("", 800, False)]),
        ([""], LONG, [("", 0, True), (".0", 3977, False), (".1", 3977, False), (".2", 1046, False)]),
        (
            [".1", ".0", ""],
            LONG,
            [(".1", 3977, False), (".0", 3977, False), ("", 0, True), (".2", 1046, False)],
        ),
        (
            [".0", ".1", ".2", ".3", ".77"],
            LONG,
            [(".0", 3977, False), (".1", 3977, False), (".2", 1046, False), (".3", 0, True), (".77", 0, True)],
        ),
        ([".00", ".x", ".-1", ".", ".0.0", ".1e1", ".100", "x"], SHORT, [("", 800, False)]),
    ],
)
def test_what_an_earlier_value_left_is_expired_in_upstreams_order(
    before: list[str], length: int, expected: list[tuple[str, int, bool]]
) -> None:
    headers = sent("; ".join(["a=b", *(f"{DATA}{suffix}=old" for suffix in before)]))
    lines = PLAIN.write_chunked("session_data", "x" * length, 300, headers)
    assert shapes(lines) == [(DATA + suffix, size, expires) for suffix, size, expires in expected]


@requirement("S-161")
def test_a_value_that_needs_more_than_100_chunks_is_not_written(caplog: pytest.LogCaptureFixture) -> None:
    fits = PLAIN.write_chunked("session_data", "x" * 397_700, 300, Headers())
    assert [name for name, _, _ in shapes(fits)] == [f"{DATA}.{number}" for number in range(100)]
    assert caplog.records == []
    lines = PLAIN.write_chunked("session_data", "x" * 397_701, 300, sent(f"{DATA}.0=old; {DATA}=old"))
    assert shapes(lines) == [(f"{DATA}.0", 0, True), (DATA, 0, True)]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "xxx" not in caplog.text


@requirement("S07")
@pytest.mark.parametrize(
    ("cookies", "expected"),
    [
        (".0=a; .1=b; .2=c", "abc"),
        (".2=c; .1=b; .0=a", "abc"),
        (".0=a", "a"),
        (".1=b; .2=c", None),
        (".0=a; .2=c", "ac"),
        (".0=a; .1=b; .77=z", "abz"),
        (".0=a; .1=b; .x=z; .-1=z; .00=z; .=z; .0.0=z", "ab"),
        (".00=a; .1=b", "b"),
        (".0=a; .0=z; .1=b", "ab"),
        ("=whole; .0=a; .1=b", "whole"),
        (".0=a; .1=b; =whole", "whole"),
        ("x=whole", None),
        ("", None),
    ],
)
def test_chunks_are_joined_in_their_order_and_a_gap_is_not_what_was_written(cookies: str, expected: str | None) -> None:
    header = "; ".join(f"{DATA}{each}" for each in cookies.split("; ") if each)
    assert PLAIN.read_chunked(sent(f"a=b; {header}"), "session_data") == expected


@requirement("S07")
def test_ten_and_more_chunks_are_joined_by_number() -> None:
    value = "".join(f"{number:05}" for number in range(20_000))
    lines = PLAIN.write_chunked("session_data", value, 300, Headers())
    assert len(lines) > 20
    assert PLAIN.read_chunked(carried(lines[::-1]), "session_data") == value


@requirement("B-29", "B-38")
def test_expiring_a_cookie_expires_the_chunks_that_the_browser_sent() -> None:
    assert PLAIN.expire_chunked("session_data", Headers()) == [PLAIN.expire("session_data")]
    chunks = PLAIN.expire_chunked("session_data", sent(f"{DATA}.1=b; a=b; {DATA}.0=a; {DATA}.x=z"))
    assert shapes(chunks) == [(DATA, 0, True), (f"{DATA}.1", 0, True), (f"{DATA}.0", 0, True)]


@requirement("B-29", "B-38")
@pytest.mark.parametrize("strategy", ["compact", "jwt", "jwe"])
def test_signing_out_with_a_cookie_cache_sends_upstreams_lines(strategy: str) -> None:
    sample = COOKIES[f"cookie_cache_{strategy}"]
    headers = sent(f"{DATA}={sample['value']}")
    lines = [
        PLAIN.expire("session_token"),
        *PLAIN.expire_chunked("session_data", headers),
        PLAIN.expire("dont_remember"),
    ]
    assert lines == [("set-cookie", line) for line in sample["signOut"]]


@requirement("B-64", "B-71")
def test_large_cookies_of_upstream_are_written_with_the_same_attributes() -> None:
    state = COOKIES["oauth_state_cookie"]["start"]["setCookie"][0]
    account = COOKIES["account_data_cookie"]["setCookie"][1]
    for name, line, max_age in (("oauth_state", state, 600), ("account_data", account, 300)):
        value = line.partition(";")[0].partition("=")[2]
        assert PLAIN.write_chunked(name, value, max_age, Headers()) == [("set-cookie", line)]
        assert PLAIN.read_chunked(sent(line.partition(";")[0]), name) == value


def hidden(line: tuple[str, str]) -> str:
    """Return a line as the samples show it, without its value."""
    return re.sub(r"=[^;]*", "=<v>", line[1], count=1)
