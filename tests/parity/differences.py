"""Every difference that Portico means to have: what is not listed here fails, and what is listed must still occur."""

from parity.compare import Deliberate, Difference, OwnRows
from parity.servers import Side

NOT_A_SERVER_ERROR = "hostile input is refused with 4xx, where upstream's handler throws"
NOT_CANONICAL = "only the path as declared reaches an endpoint; upstream resolves dots and backslashes first"
EACH_STEP_ONCE = "each time step of an authenticator works once"
NO_SESSION_YET = "no session exists before the second step, so no header can name one"
PEER_ADDRESS = "without a forwarded address from a trusted proxy, the peer of the connection is the client"
OWN_PAGE = "the error page is our own, and forbids scripts and frames by a header"
RETRY_AFTER = "the standard header is sent beside upstream's"

DIFFERENCES = [
    Deliberate("core/routing: a path with dots", "?*", NOT_CANONICAL),
    Deliberate("core/routing: a path with backslashes", "?*", NOT_CANONICAL),
    Deliberate("core/routing: a whole URL as the target", "?*", NOT_A_SERVER_ERROR),
    Deliberate("core/routing: *", "* GET /error*: headers.content-security-policy", OWN_PAGE),
    Deliberate("core/routing: *", "* GET /error*: headers.x-content-type-options", OWN_PAGE),
    Deliberate("core/routing: *", "* GET /error*: body.text", OWN_PAGE),
    Deliberate("core/update-user: the name is null", "2 POST /update-user: *", NOT_A_SERVER_ERROR),
    Deliberate("core/sign-in: an unreadable hash", "2 POST /sign-in/email: *", NOT_A_SERVER_ERROR),
    Deliberate("core/sign-up: without user agent or address", "rows: session.0.ipAddress", PEER_ADDRESS),
    Deliberate("core/sign-up: addresses of clients", "rows: session.?.ipAddress", PEER_ADDRESS),
    Deliberate("plugins/two-factor: a code is used twice", "5 POST /two-factor/verify-totp: *", EACH_STEP_ONCE),
    Deliberate("plugins/two-factor: a code is used twice", "rows: *", EACH_STEP_ONCE),
    Deliberate("challenged bearer/*: a bearer is challenged", "4 first step: headers.set-auth-token", NO_SESSION_YET),
    Deliberate(
        "challenged bearer/*: a bearer is challenged",
        "4 first step: headers.access-control-expose-headers",
        NO_SESSION_YET,
    ),
    Deliberate("limited/*", "*: headers.retry-after", RETRY_AFTER),
]

OWN_ROWS = [OwnRows("verification", "identifier", "2fa-step-*", EACH_STEP_ONCE)]


def unexpected(scenario: str, found: list[Difference], other: Side) -> list[Difference]:
    """Return what nobody listed; upstream has no excuse for differing from itself."""
    listed = DIFFERENCES if other == "portico" else []
    return [each for each in found if not any(known.covers(scenario, each) for known in listed)]
