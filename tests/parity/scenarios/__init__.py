"""Every scenario, by subject."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from parity.scenario import Scenario
from parity.scenarios.accounts import ACCOUNTS
from parity.scenarios.bearer import BEARER
from parity.scenarios.bodies import BODIES
from parity.scenarios.change_email import CHANGE_EMAIL
from parity.scenarios.checks import CHECKS
from parity.scenarios.configured import CONFIGURED
from parity.scenarios.cookie_cache import COOKIE_CACHE
from parity.scenarios.delete_user import DELETE_USER
from parity.scenarios.device_authorization import DEVICES
from parity.scenarios.fields import FIELDS
from parity.scenarios.ids import IDS
from parity.scenarios.jwts import JWTS
from parity.scenarios.magic_link import MAGIC_LINK
from parity.scenarios.multi_session import MULTI_SESSION
from parity.scenarios.origins import ORIGINS
from parity.scenarios.password_reset import PASSWORD_RESET
from parity.scenarios.passwords import PASSWORDS
from parity.scenarios.places import PLACES
from parity.scenarios.rate_limits import RATE_LIMITS
from parity.scenarios.refused_codes import REFUSED_CODES
from parity.scenarios.routing import ROUTING
from parity.scenarios.second_factors import OTHER_OPTIONS, SENT_CODES
from parity.scenarios.secondary import SECONDARY
from parity.scenarios.session_lists import SESSION_LISTS
from parity.scenarios.session_refresh import SESSION_REFRESH
from parity.scenarios.session_updates import SESSION_UPDATES
from parity.scenarios.sessions import SESSIONS
from parity.scenarios.sign_in import SIGN_IN
from parity.scenarios.sign_up import SIGN_UP
from parity.scenarios.stateless import STATELESS
from parity.scenarios.tokens import TOKENS
from parity.scenarios.two_factor import TWO_FACTOR
from parity.scenarios.username_options import USERNAME_OPTIONS
from parity.scenarios.usernames import USERNAMES
from parity.scenarios.users import USERS
from parity.scenarios.verification import VERIFICATION

SUBJECTS: Mapping[str, Sequence[Scenario]] = {
    "routing": ROUTING,
    "bodies": BODIES,
    "origins": ORIGINS,
    "sign-up": SIGN_UP,
    "sign-in": SIGN_IN,
    "get-session": SESSIONS,
    "list and revoke": SESSION_LISTS,
    "refresh": SESSION_REFRESH,
    "update-session": SESSION_UPDATES,
    "fields": FIELDS,
    "ids": IDS,
    "accounts": ACCOUNTS,
    "tokens": TOKENS,
    "update-user": USERS,
    "change-password": PASSWORDS,
    "password-reset": PASSWORD_RESET,
    "verification": VERIFICATION,
    "change-email": CHANGE_EMAIL,
    "delete-user": DELETE_USER,
    "cookie cache": COOKIE_CACHE,
    "bearer": BEARER,
    "username": USERNAMES,
    "username options": USERNAME_OPTIONS,
    "two-factor": TWO_FACTOR,
    "sent codes": SENT_CODES,
    "second factors": OTHER_OPTIONS,
    "refused codes": REFUSED_CODES,
    "jwt": JWTS,
    "magic-link": MAGIC_LINK,
    "multi-session": MULTI_SESSION,
    "devices": DEVICES,
    "rate limit": RATE_LIMITS,
    "options": CONFIGURED,
    "places": PLACES,
    "checks": CHECKS,
    "beyond one process": SECONDARY,
    "stateless": STATELESS,
}
SCENARIOS = [replace(each, subject=subject) for subject, scenarios in SUBJECTS.items() for each in scenarios]
