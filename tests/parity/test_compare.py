"""The comparison sees what it has to see, and nothing else."""

import json
import time
from typing import Any

import pytest

from parity.compare import Deliberate, compare
from parity.normal_form import normal_form
from parity.scenario import TimeSteps
from parity.transcript import Exchange, Transcript
from requirements import requirement

pytestmark = requirement("ARCH-formats")

STARTED = 1_795_000_000.0
ONE, TWO = "a" * 31 + "1", "b" * 31 + "2"
LATER = "2026-11-18T11:06:41.000Z"


def places(*bodies: object, **changes: Any) -> list[str]:
    """Compare two answers, made of a body each and further changes to the second."""
    first, second = (json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode() for body in bodies)
    headers = changes.get("headers", ((), ()))
    rows = changes.get("rows", ({}, {}))
    runs = [
        Transcript(STARTED, (Exchange("GET /x", 200, headers[0], first),), rows[0]),
        Transcript(STARTED, (Exchange("GET /x", changes.get("status", 200), headers[1], second),), rows[1]),
    ]
    return [each.place for each in compare(normal_form(runs[0]), normal_form(runs[1]))]


def test_equal_answers_have_no_difference() -> None:
    assert places({"a": [1, None, {"b": "c"}]}, {"a": [1, None, {"b": "c"}]}) == []


def test_ids_may_differ_if_they_differ_alike() -> None:
    assert places({"id": ONE, "again": ONE}, {"id": TWO, "again": TWO}) == []
    assert places({"id": ONE, "again": ONE}, {"id": TWO, "again": ONE}) == ["1 GET /x: body.json.again"]
    assert places({"id": ONE, "other": TWO}, {"id": TWO, "other": TWO}) == ["1 GET /x: body.json.other"]


@pytest.mark.parametrize(
    ("upstream", "other"),
    [
        (1, 1.0),
        (1, True),
        (None, ""),
        ("x", "X"),
        (ONE, "a" * 31),
        (ONE, "a" * 31 + "_"),
        (LATER, "2026-11-18T11:06:41Z"),
        (LATER, "2026-11-18T11:06:41.000+00:00"),
        (LATER, "2026-11-18T11:06:41.000000Z"),
        (LATER, "2026-11-18T11:08:41.000Z"),
        ([1], [1, 1]),
    ],
)
def test_values_of_another_kind_are_seen(upstream: object, other: object) -> None:
    assert places({"a": upstream}, {"a": other}) == ["1 GET /x: body.json.a"]


def test_seconds_are_forgiven() -> None:
    assert places({"a": LATER}, {"a": "2026-11-18T11:06:43.120Z"}) == []


def test_a_status_a_key_and_an_order_are_seen() -> None:
    assert places({"a": 1}, {"a": 1}, status=201) == ["1 GET /x: status"]
    assert places({"a": 1}, {"b": 1}) == ["1 GET /x: body.json.a", "1 GET /x: body.json.b"]
    assert places({"a": 1, "b": 2}, {"b": 2, "a": 1}) == ["1 GET /x: body.json(order)"]


def test_headers_and_cookies_are_seen() -> None:
    lax, strict = ("set-cookie", "x.y=; Max-Age=0; SameSite=Lax"), ("set-cookie", "x.y=; Max-Age=0; SameSite=Strict")
    assert places({}, {}, headers=((lax,), (strict,))) == ["1 GET /x: cookies.0.attributes"]
    assert places({}, {}, headers=((("pragma", "no-cache"),), ())) == ["1 GET /x: headers.pragma"]
    assert places({}, {}, headers=((("date", "x"),), ())) == []


def test_the_type_of_a_column_is_seen() -> None:
    rows = ({"user": [{"banned": 0}]}, {"user": [{"banned": "0"}]})
    assert places({}, {}, rows=rows) == ["rows: user.0.banned"]


def test_a_listed_difference_covers_its_place_only() -> None:
    known = Deliberate("core/*", "* status", "a reason")
    found = compare({"1 GET /x": {"status": 200, "body": "x"}}, {"1 GET /x": {"status": 201, "body": "y"}})
    assert [known.covers("core/x", each) for each in found] == [True, False]
    assert not known.covers("plugins/x", found[0])


def test_a_run_counts_from_a_time_step_that_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = STARTED - STARTED % 30 + 28

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(time, "sleep", sleep)
    steps = TimeSteps()
    first = steps.first(30)
    assert first == STARTED // 30 + 1
    sleep(29)
    assert (steps.first(30), TimeSteps().first(30)) == (first, first + 1)
