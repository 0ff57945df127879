import pytest

from portico import Headers
from requirements import requirement

FIELDS = [(b"cookie", b"a=b"), (b"x-one", b"1")]


@requirement("S-125")
@pytest.mark.parametrize(
    "headers",
    [
        Headers([("Cookie", "a=b"), ("X-One", "1")]),
        Headers.raw(FIELDS),
        Headers.raw([(b"x-one", b"1"), (b"cookie", b"a=b"), (b"x-two", b"2"), (b"x-two", b"3")]),
    ],
    ids=["given", "raw", "raw and repeated"],
)
def test_a_field_is_found_whatever_the_case_of_its_name(headers: Headers) -> None:
    for name in ("cookie", "Cookie", "COOKIE"):
        assert (headers.get(name), headers[name], name in headers) == ("a=b", "a=b", True)
    for name in ("set-cookie", "Cooki", ""):
        assert (headers.get(name), headers.get(name, "none"), name in headers) == (None, "none", False)
