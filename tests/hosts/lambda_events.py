"""The events of AWS, made of calls, and calls answered by what a function returns."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from hosts.conformance.exchange import Answer, Call

MakeEvent = Callable[[Call], dict[str, Any]]


def rest_event(call: Call) -> dict[str, Any]:
    """As a REST API sends it: path encoded and without the stage, query decoded."""
    query = _several(parse_qsl(call.query, keep_blank_values=True))
    headers = _several(call.headers)
    stage = call.mount[1:] or "prod"
    path = call.path.removeprefix(call.mount)
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": call.method,
        "headers": {name: values[-1] for name, values in headers.items()} or None,
        "multiValueHeaders": headers or None,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": {"proxy": path[1:]},
        "stageVariables": None,
        "requestContext": {
            "stage": stage,
            "path": f"/{stage}{path}",
            "httpMethod": call.method,
            "identity": {"sourceIp": call.peer, "userAgent": "test"},
        },
        **_body(call),
    }


def url_event(call: Call) -> dict[str, Any]:
    """As a function URL sends it: everything as sent, cookies apart."""
    cookies = [pair for name, value in call.headers if name == "cookie" for pair in value.split("; ")]
    headers = _several((name, value) for name, value in call.headers if name != "cookie")
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": call.path,
        "rawQueryString": call.query,
        **({"cookies": cookies} if cookies else {}),
        "headers": {name: ",".join(values) for name, values in headers.items()},
        "requestContext": {
            "stage": call.mount[1:] or "$default",
            "http": {"method": call.method, "path": call.path, "sourceIp": call.peer, "userAgent": "test"},
        },
        **_body(call),
    }


def http_event(call: Call) -> dict[str, Any]:
    """As an HTTP API sends it: the path decoded."""
    event = url_event(call)
    return {**event, "rawPath": unquote_to_bytes(event["rawPath"]).decode(errors="replace")}


def balancer_event(call: Call) -> dict[str, Any]:
    """As a target group with multi-value headers sends it: everything as sent, the peer behind what it claims."""
    pairs = [pair.partition("=") for pair in call.query.split("&") if pair]
    claimed = [value for name, value in call.headers if name == "x-forwarded-for"]
    headers = _several((name, value) for name, value in call.headers if name != "x-forwarded-for")
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:shop"}},
        "httpMethod": call.method,
        "path": call.path,
        "multiValueQueryStringParameters": _several((name, value) for name, _, value in pairs),
        "multiValueHeaders": {**headers, "x-forwarded-for": [", ".join([*claimed, call.peer])]},
        **_body(call),
    }


def answered(returned: dict[str, Any]) -> Answer:
    """Return what the caller of a function sends on."""
    text = returned.get("body") or ""
    body = b64decode(text) if returned.get("isBase64Encoded") else text.encode()
    headers = list(returned.get("headers", {}).items())
    headers += [(name, value) for name, values in returned.get("multiValueHeaders", {}).items() for value in values]
    headers += [("set-cookie", line) for line in returned.get("cookies", ())]
    if returned["statusCode"] != 204:
        headers.append(("content-length", str(len(body))))
    return Answer(returned["statusCode"], headers, body)


def _several(pairs: Any) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return lists


def _body(call: Call) -> dict[str, Any]:
    if call.is_consumed:
        return {"body": None, "isBase64Encoded": False}
    try:
        return {"body": call.body.decode() or None, "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": b64encode(call.body).decode(), "isBase64Encoded": True}
