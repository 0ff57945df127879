"""The secret, and the mode."""

from collections.abc import Iterator

from portico.cli.doctor.finding import Examined, Finding, item, judged
from portico.configuration import MIN_ENTROPY, MIN_SECRET_LENGTH, PUBLIC_SECRETS, entropy

RENEW = "set BETTER_AUTH_SECRET to what `portico secret` prints; BETTER_AUTH_SECRETS keeps the old one valid meanwhile"


def mode(examined: Examined) -> Iterator[Finding]:
    """Look whether this is production."""
    yield judged(
        "environment",
        "warn",
        not examined.auth.is_production,
        good="this is production",
        says=f"PORTICO_ENV is {examined.environment.get('PORTICO_ENV')}: rate limits are off unless they are turned on,"
        " and a missing secret or base URL is made up",
        remedy="unset PORTICO_ENV, or set it to production",
    )


def secret(examined: Examined) -> Iterator[Finding]:
    """Look at the secrets that are accepted, of which each could be used to sign."""
    accepted = examined.auth.keyring.accepted
    yield judged(
        "secret-published",
        "fail",
        bool(PUBLIC_SECRETS & set(accepted)),
        good="the secret is not published",
        says="the secret is in published source code: everybody can sign sessions",
        remedy=RENEW.partition(";")[0],
    )
    shortest = min(map(len, accepted))
    yield judged(
        "secret-length",
        "fail",
        shortest < MIN_SECRET_LENGTH,
        good=f"secrets have at least {MIN_SECRET_LENGTH} characters",
        says=f"a secret has {shortest} characters, and {MIN_SECRET_LENGTH} are needed",
        remedy=RENEW,
    )
    least = min(map(entropy, accepted))
    yield judged(
        "secret-entropy",
        "fail",
        least < MIN_ENTROPY,
        good=f"secrets have at least {MIN_ENTROPY} bits",
        says=f"a secret has at most {least:.0f} bits, and {MIN_ENTROPY} are needed: it can be guessed",
        remedy=RENEW,
    )
    if len(accepted) > 1:
        yield item("secret-rotation", "pass", f"{len(accepted) - 1} older secrets are accepted as well")
