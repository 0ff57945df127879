"""Every difference that Portico means to have: what is not listed here fails, and what is listed must still occur."""

from parity.compare import Deliberate, Difference, OwnRows
from parity.servers import Side

NOT_A_SERVER_ERROR = "hostile input is refused with 4xx, where upstream's handler throws"
NOT_CANONICAL = "only the path as declared reaches an endpoint; upstream resolves dots and backslashes first"
NOT_HTTP = "our host's HTTP parser refuses raw bytes in a request line before an endpoint is looked for"
MATCHED_ONLY = "limits belong to endpoints: what matches none costs nothing and is not counted"
EACH_STEP_ONCE = "each time step of an authenticator works once"
COUNTED_FIRST = "an account counts an attempt before its code is looked at; upstream looks at all that is sent at once"
NO_SESSION_YET = "no session exists before the second step, so no header can name one"
PEER_ADDRESS = "without a forwarded address from a trusted proxy, the peer of the connection is the client"
OWN_PAGE = "the error page is our own, and forbids scripts and frames by a header"
RETRY_AFTER = "the standard header is sent beside upstream's"
WHOLE_TYPES = "a media type is compared as a whole; upstream takes everything that begins like an allowed one"
TYPED_BODIES = "a body needs a type and is refused without one; upstream drops it unread"
JSON_ONLY = "what is no JSON in UTF-8, or nested without measure, is not parsed"
FORM_BOOLEANS = "a form can say rememberMe, though all its values are text"
SIGN_UP_IS_LOGIN = "signing up signs in, so its sender is checked as at sign-in; upstream checks sign-in only"
URLS_WITHOUT_TRICKS = "a URL with credentials or without its slashes is nobody's"
STORABLE = "text with NUL, which PostgreSQL cannot store, is refused everywhere"
TYPED_COLUMNS = "a column takes values of its type; upstream stores what SQLite makes of others, or throws"
NOTHING_IS_NULL = "a JSON column without a value is NULL; upstream writes the text null when it is taken away"
LIKE_OTHERS = "the id of a made-up user looks like others; upstream's has letters where all others are numbers"
ONE_ISSUE = "a value of the wrong kind is one issue; upstream measures a list as if it were text"
ENCODED_LOCATION = "a header holds no raw letters beyond ASCII"
STILL_NOT_REMEMBERED = "a session that replaces one which is not remembered is not remembered either"
AUTHORITATIVE = "what changes or lists something reads the store, not the cookie copy"
LIVE_SESSION = "the first verified code answers with the session that lives and the user as it is now"
OWN_ISSUER = "the URI names the plugin's issuer every time"
CHALLENGE_SPENT = "a challenge that was answered is over, with or without a session"
ROUTED = "set-password may be called over HTTP, with a fresh session"
PURPOSE = "a link says what it is for, and until when"
NOT_BY_OTHERS = "another user's call does not use up a token"
MORE_VERBS = "what changes something may be called by PUT and PATCH, too"
NO_DEAD_ENTRIES = "the list of a user's sessions loses those that ended; upstream leaves one of them"
NO_PROVIDERS = "there are no other providers yet, whose cookies would end"
AS_LONG_AS_THE_WINDOW = "a copy that is the session lasts as long as its window, and is not written anew before"
EVERY_COLUMN = "a column without a value is null; upstream's memory leaves it out"
IN_THE_DATABASE = "codes and links stay in the database, which takes each of them once"
NOT_A_PROFILE = "a page is no profile; upstream takes its letters for one"
BY_PROVIDER = "an account may be named by its provider, too"
ID_TOKENS_TOO = "id tokens are encrypted like the others"
ONE_ORDER = "every refusal has its message first; upstream turns it round for this one"
DEAD_LINKS = "a new password ends the changes of address that were under way"
KNOWN_ADDRESS = "a mail goes to the address as it is known, whatever letters it was asked for in"
UNTIL_THE_WINDOW = "who is not to be remembered cannot be switched back to when the window was closed"
ENDED_LEAVE_ROOM = "sessions that have ended take no room: who often changes a password would be in no list any more"
ONLY_SIGNED = "a cookie that nobody signed stands for no session, and is replaced by one that is signed"
EVERY_SIGN_IN = "a second factor is asked for however the first one was shown"
ITS_USER_ONLY = "who proves a mailbox first ends the links that were mailed for the account before"
ONE_KEY = "of many callers that need a key at once, one makes it"
NO_KEYS_HERE = "a key set that is elsewhere has no endpoint here"
ONLY_PROXIES = "only a trusted proxy says by which protocol a server was asked"
LOWER_CASE = "a host is lower case, as browsers write it"
NOT_OURS = "a host that is none is not ours, and the fallback holds; upstream does not find the path, or drops the call"
TOLD_OF_ALL = "the application is told of every refusal; upstream tells of those before an endpoint"
ALL_TYPED = "every redirect has the type of the others"
ANY_SECRET = "what any listed secret signed is genuine"
FOR_GOOD = "a username for good is not given away either, and then replaced"
GUESSED_AT = "who decides about a code guesses at it as well as who looks: five guesses at each"
KNOWN_STATES = "a state that no server writes is refused"
ONE_FORM = "a session in secondary storage has one form, whoever started it"
STAYS_HERE = "a path leads to no other host; upstream resolves its dots and sends the two slashes that are left"
UNDERSTOOD = "a claim that no verifier would understand is not signed, and one that is null is left out"
NO_SPANS = "a claim is a moment; upstream takes text for a span"
PAST = "a past is one in capitals, too; upstream adds what is written `1 day Ago`"
MOMENT = "a lifetime has a unit, or is a duration or a moment of its own kind; to upstream a number is a moment of 1970"
NOBODY_NAMED = "an empty issuer or audience is none; upstream signs a token that nobody takes"
AS_SIGNED = "a token is taken to the letter"
PUBLISHED_ONLY = "a key that is no longer published proves nothing"
PUBLISHED_BEFORE = "the next key is published before it signs"
STILL_ELSEWHERE = "what is signed elsewhere is signed there by any rules; upstream makes a key of its own then"
KEYS_OF_A_MINUTE = "cookie copies are read with the keys of a minute ago"
GOES_ON = "what no reply shows of a session goes on like all else that the application keeps in it"
NOT_YET = "nobody is sent on before the second step"

DIFFERENCES = [
    Deliberate("core/routing: a path with dots", "?*", NOT_CANONICAL),
    Deliberate("core/routing: a path with backslashes", "?*", NOT_CANONICAL),
    Deliberate("core/routing: a whole URL as the target", "?*", NOT_A_SERVER_ERROR),
    Deliberate("core/routing: a path that is encoded", "13 GET /*", NOT_HTTP),
    Deliberate("core/routing: *", "* GET /error*: headers.content-security-policy", OWN_PAGE),
    Deliberate("core/routing: *", "* GET /error*: headers.x-content-type-options", OWN_PAGE),
    Deliberate("core/routing: *", "* GET /error*: body.text", OWN_PAGE),
    Deliberate("core/routing: an endpoint that only servers call", "* POST /set-password: *", ROUTED),
    Deliberate("core/bodies: content types of *", "?* application/json?*", WHOLE_TYPES),
    Deliberate("core/bodies: a body without a content type", "*", TYPED_BODIES),
    Deliberate("core/bodies: malformed JSON", '* b\'{"email":*', JSON_ONLY),
    Deliberate("core/bodies: deep nesting", "*", JSON_ONLY),
    Deliberate("core/bodies: a form signs in and up", "3 *", FORM_BOOLEANS),
    Deliberate("core/bodies: a form signs in and up", "5 *: cookies", FORM_BOOLEANS),
    Deliberate("core/bodies: a form signs in and up", "rows: session*", FORM_BOOLEANS),
    Deliberate("core/origins: fetch metadata at /sign-up/email *", "*", SIGN_UP_IS_LOGIN),
    Deliberate("core/origins: * at sign-*", "* 'http://user:pw@*", URLS_WITHOUT_TRICKS),
    Deliberate("core/origins: * at sign-*", "* 'https:exact*", URLS_WITHOUT_TRICKS),
    Deliberate("core/origins: * at sign-*", "* 'https:/exact*", URLS_WITHOUT_TRICKS),
    Deliberate("core/origins: * at sign-*", "* 'https:///exact*", URLS_WITHOUT_TRICKS),
    Deliberate("*providers/tokens: a profile for a token that is page", "* /account-info: *", NOT_A_PROFILE),
    Deliberate("*providers/tokens: by the provider's name", "* POST /*: *", BY_PROVIDER),
    Deliberate("*providers/tokens: by the provider's name", "rows: *", BY_PROVIDER),
    Deliberate("*providers/tokens: by verbs of another kind", "* alias: *", MORE_VERBS),
    Deliberate("providers/sign-up: an application that says no, *", "*: body.json(order)", ONE_ORDER),
    Deliberate("encrypted providers/tokens: *", "rows: account.*.idToken", ID_TOKENS_TOO),
    Deliberate("core/update-user: the name is null", "2 POST /update-user: *", NOT_A_SERVER_ERROR),
    Deliberate("core/update-user: * of another kind", "*", TYPED_COLUMNS),
    Deliberate("accounts/update-session: a field of another kind", "*", TYPED_COLUMNS),
    Deliberate("fields/fields: of another kind *", "*", TYPED_COLUMNS),
    Deliberate("snake/fields: *", "* confirm: body.json.*", LIVE_SESSION),
    Deliberate("*/ids: a second factor *", "3 POST /two-factor/verify-totp: body.json.*", LIVE_SESSION),
    Deliberate("quiet fields/*: a taken address looks new", "* POST /sign-up/email: body.json.user.id", LIKE_OTHERS),
    Deliberate("fields/fields: change {'settings': None}", "rows: users.0.settings", NOTHING_IS_NULL),
    Deliberate("versioned/*", "* POST /update-*: cookies*", AUTHORITATIVE),
    Deliberate("versioned/update-session: the row is gone*", "2 *: body.json.*", AUTHORITATIVE),
    Deliberate("jwt/accounts: from a cookie copy", "[23] GET /list-accounts: *", AUTHORITATIVE),
    Deliberate("core/sign-in: an unreadable hash", "2 POST /sign-in/email: *", NOT_A_SERVER_ERROR),
    Deliberate("core/sign-in: with a trusted address", "* POST /sign-in/email: headers.location.0", ENCODED_LOCATION),
    Deliberate("core/sign-up: a name in other scripts", "*", STORABLE),
    Deliberate("core/sign-up: password of another kind", "* POST /sign-up/email: body.json.message", ONE_ISSUE),
    Deliberate("core/sign-up: without user agent or address", "rows: session.0.ipAddress", PEER_ADDRESS),
    Deliberate("core/sign-up: addresses of clients", "rows: session.?.ipAddress", PEER_ADDRESS),
    Deliberate("core/change-password: not remembered", "*expiresAt", STILL_NOT_REMEMBERED),
    Deliberate("mails/*: never back to*", "*https://evil.test@x.example.com*", URLS_WITHOUT_TRICKS),
    Deliberate("mails/password-reset: never back to 'https://evil.test@*", "*", URLS_WITHOUT_TRICKS),
    Deliberate("mails/verification: never back to 'https://evil.test@*", "*", URLS_WITHOUT_TRICKS),
    Deliberate("mails/delete-user: never back to", "rows: verification", URLS_WITHOUT_TRICKS),
    Deliberate("mails/*: never back to", "mails: ", URLS_WITHOUT_TRICKS),
    *[
        Deliberate(f"mails/*: back to {place}", "* the link: headers.location.0", ENCODED_LOCATION)
        for place in ("/ünï", "/a b", "/r ", "https://exact.example.org//x*")
    ],
    Deliberate("mails/verification: back to /*//evil.test*", "* wrong: headers.location.0", STAYS_HERE),
    Deliberate("mails/verification: a token of a* purpose*", "*", PURPOSE),
    Deliberate("mails/verification: a token of an unknown purpose", "*", PURPOSE),
    Deliberate("mails/verification: a token without an end", "*", PURPOSE),
    Deliberate("mails/verification: a token without an address", "*", NOT_A_SERVER_ERROR),
    Deliberate("mails/verification: a token with *", "*", NOT_A_SERVER_ERROR),
    Deliberate("mails/verification: a token to a number", "*", NOT_A_SERVER_ERROR),
    Deliberate("mails/change-email: the taken address by an old link", "4 link: *", NOT_A_SERVER_ERROR),
    Deliberate("proven/verification: the link signs in *", "* GET /verify-email*: cookies*", AUTHORITATIVE),
    Deliberate(
        "proven/verification: the link signs in who is not to be remembered", "*expiresAt", STILL_NOT_REMEMBERED
    ),
    Deliberate("mails/change-email: other verbs", "*", MORE_VERBS),
    Deliberate("mails/delete-user: by a * of somebody else", "rows: verification", NOT_BY_OTHERS),
    Deliberate("*/cookie cache: a revoked session is still read", "[567] *", AUTHORITATIVE),
    Deliberate("*/cookie cache: a revoked session is still read", "rows: user.0.name", AUTHORITATIVE),
    Deliberate("jwt/cookie cache: revoked, and /unlink-account", "[56] *", AUTHORITATIVE),
    Deliberate("*/cookie cache: not fresh in the copy", "*", AUTHORITATIVE),
    Deliberate("*/cookie cache: update-user *", "* POST /update-user: cookies*", AUTHORITATIVE),
    Deliberate("compact/cookie cache: unreadable", "* a.b.c*", NOT_A_SERVER_ERROR),
    Deliberate("compact/cookie cache: unreadable", "* %7B%7D: *", NOT_A_SERVER_ERROR),
    Deliberate("plugins/username: * of another kind *", "*", TYPED_COLUMNS),
    Deliberate("names for good/username options: who gives a name away", "[23] *", FOR_GOOD),
    Deliberate("names for good/username options: who gives a name away", "rows: user.0.username", FOR_GOOD),
    Deliberate("plugins/two-factor: a code is used twice", "5 POST /two-factor/verify-totp: *", EACH_STEP_ONCE),
    Deliberate("plugins/two-factor: a code is used twice", "rows: *", EACH_STEP_ONCE),
    Deliberate("links/magic-link: never on to 'https://evil.test@*", "*", URLS_WITHOUT_TRICKS),
    Deliberate("links and fields/magic-link: a column*", "2 GET <url of magic-link>: *", NOT_A_SERVER_ERROR),
    Deliberate("links/magic-link: an address in other letters", "mails: .0.email", KNOWN_ADDRESS),
    Deliberate("links/magic-link: what is no link", "* GET /magic-link/verify?token=%00: *", STORABLE),
    Deliberate("links/magic-link: tokens that are for something else", "rows: verification", ITS_USER_ONLY),
    Deliberate("links/magic-link: where nobody is to be remembered", "*expiresAt", STILL_NOT_REMEMBERED),
    Deliberate("closed links/magic-link: a second factor", "* confirm: body.json.token", LIVE_SESSION),
    Deliberate("closed links/magic-link: a second factor", "* confirm: body.json.user.twoFactorEnabled", LIVE_SESSION),
    *[
        Deliberate("closed links/magic-link: a second factor", place, EVERY_SIGN_IN)
        for place in ("* to a page: *", "* as JSON: *", "* GET /get-session: *", "rows: session", "rows: verification")
    ],
    Deliberate("several and secure/multi-session: three users *", "8 ann leaves: cookies", AUTHORITATIVE),
    Deliberate("several and secure/multi-session: sessions that were revoked *", "5 bob leaves: *", AUTHORITATIVE),
    Deliberate("several/multi-session: not remembered", "1 ann: cookies.2.attributes", UNTIL_THE_WINDOW),
    Deliberate("several/multi-session: remembered, then not", "2 bob: cookies.2.attributes", UNTIL_THE_WINDOW),
    Deliberate("several/multi-session: a cookie that was lost *", "2 with another value: cookies", ONLY_SIGNED),
    *[
        Deliberate("several and secure/multi-session: sessions that have ended *", place, ENDED_LEAVE_ROOM)
        for place in ("3 renewed 2: cookies", "4 bob: cookies", "5 GET /multi-session/list-device-sessions: body.json*")
    ],
    *[
        Deliberate("several/multi-session: *a second step*", place, reason)
        for place, reason in (
            ("* confirm: body.json.token", LIVE_SESSION),
            ("* confirm: body.json.user.twoFactorEnabled", LIVE_SESSION),
            ("* first step: headers.access-control-expose-headers", NO_SESSION_YET),
            ("* first step: headers.set-auth-token", NO_SESSION_YET),
            ("* first step: cookies", NO_SESSION_YET),
        )
    ],
    Deliberate("several elsewhere/*", "rows: secondary storage", NO_DEAD_ENTRIES),
    Deliberate("several without a store/*", "*.user.image", EVERY_COLUMN),
    Deliberate("several without a store/*", "* POST /sign-out: cookies", NO_PROVIDERS),
    Deliberate("*/two-factor: *", "* confirm: body.json.token", LIVE_SESSION),
    Deliberate("*/two-factor: *", "* confirm: body.json.user.twoFactorEnabled", LIVE_SESSION),
    Deliberate("second factors and fields/two-factor: fields of a session *", "rows: session.0.note", GOES_ON),
    Deliberate(
        "plugins/two-factor: a second factor is turned on", "4 POST /two-factor/verify-totp: body.json.*", LIVE_SESSION
    ),
    Deliberate("plugins/two-factor: by username", "3 POST /two-factor/verify-totp: body.json.*", LIVE_SESSION),
    Deliberate(
        "plugins/two-factor: trust while enrolling", "3 POST /two-factor/verify-totp: body.json.*", LIVE_SESSION
    ),
    Deliberate(
        "plugins/two-factor: sessions stay when it is turned on",
        "4 POST /two-factor/verify-totp: body.json.*",
        LIVE_SESSION,
    ),
    Deliberate(
        "plugins/two-factor: the address of *", "* POST /two-factor/get-totp-uri: body.json.totpURI", OWN_ISSUER
    ),
    Deliberate("plugins/two-factor: a backup code without a session", "rows: verification", CHALLENGE_SPENT),
    *[
        Deliberate(f"* codes/{scenario}", "rows: verification", CHALLENGE_SPENT)
        for scenario in (
            "sent codes: signing in with a code",
            "sent codes: an app and codes",
            "sent codes: six wrong codes",
            "sent codes: two codes were sent",
            "sent codes: a code works for one sign-in",
            "sent codes: a challenge works once",
            "sent codes: trusting and not remembering",
            "second factors: *codes*",
            "second factors: no authenticator apps",
        )
    ],
    Deliberate("*/sent codes: *", "* confirm: body.json.token", LIVE_SESSION),
    Deliberate("*/sent codes: *", "* confirm: body.json.user.twoFactorEnabled", LIVE_SESSION),
    Deliberate("*/refused codes: *", "* confirm: body.json.token", LIVE_SESSION),
    Deliberate("*/refused codes: *", "* confirm: body.json.user.twoFactorEnabled", LIVE_SESSION),
    Deliberate("plugins/refused codes: who is not remembered", "*expiresAt", STILL_NOT_REMEMBERED),
    Deliberate(
        "plugins/refused codes: a row that has no readable [bs]*",
        "* POST /two-factor/verify-*: *",
        NOT_A_SERVER_ERROR,
    ),
    Deliberate("plugins/refused codes: a row that counts too much", "5 POST /two-factor/verify-totp: *", COUNTED_FIRST),
    Deliberate(
        "plugins/refused codes: a row that counts too much", "rows: twoFactor.0.failedVerificationCount", COUNTED_FIRST
    ),
    Deliberate("codes elsewhere/*", "rows: secondary storage", EACH_STEP_ONCE),
    Deliberate("*/second factors: the address of the secret", "* POST /two-factor/get-totp-uri: *", OWN_ISSUER),
    Deliberate("*/second factors: users without a password", "* POST /two-factor/get-totp-uri: *", OWN_ISSUER),
    *[
        Deliberate(f"own codes/second factors: {scenario}", "* POST /two-factor/verify-totp: body.json.*", LIVE_SESSION)
        for scenario in ("users with*", "backup codes of one's own", "nobody is locked out")
    ],
    Deliberate("plugins/two-factor: with a callback address", "4 POST /sign-in/email: headers.location", NOT_YET),
    Deliberate("challenged bearer/*: a bearer is challenged", "4 first step: headers.set-auth-token", NO_SESSION_YET),
    Deliberate(
        "challenged bearer/*: a bearer is challenged",
        "4 first step: headers.access-control-expose-headers",
        NO_SESSION_YET,
    ),
    Deliberate("devices/devices: a state that nobody knows", "* looks again: *", KNOWN_STATES),
    Deliberate("devices/devices: a state that nobody knows", "* POST /device/approve: *", KNOWN_STATES),
    *[
        Deliberate(f"devices/devices: {scenario}", place, NOT_A_SERVER_ERROR)
        for scenario, place in (
            ("a state that nobody knows", "* asks: *"),
            ("approved by nobody", "* asks: *"),
            ("its user is deleted", "* asks: *"),
            ("its user is deleted", "* again: *"),
        )
    ],
    Deliberate("devices/devices: what cannot be stored", "*", STORABLE),
    Deliberate("devices with codes of one's own/*: codes*", "rows: secondary storage.?.value", ONE_FORM),
    Deliberate("limited devices/devices: six approvals", "6 *", GUESSED_AT),
    Deliberate("limited devices/devices: six denials", "6 *", GUESSED_AT),
    Deliberate("placed*/places: what forwarding headers say*", "mails: *", ONLY_PROXIES),
    Deliberate("placed/places: a host in other letters", "mails: *", LOWER_CASE),
    Deliberate("placed/places: a host that is none: *", "*", NOT_OURS),
    Deliberate("placed or refused/places: a host that is nobody's", "* foreign*", NOT_A_SERVER_ERROR),
    Deliberate("unchecked paths/checks: *", "* sign-up to elsewhere: body.json.*", SIGN_UP_IS_LOGIN),
    Deliberate("told of errors/checks: *", "* error page*: headers.content-type", ALL_TYPED),
    Deliberate("told of errors/checks: *", "mails: ", TOLD_OF_ALL),
    *[
        Deliberate(f"tokens/jwt: {scenario}", "*", reason)
        for scenario, reason in (
            ("worthless, exp '1h'", NO_SPANS),
            ("worthless, nbf '1h'", NO_SPANS),
            ("worthless, nbf ''", UNDERSTOOD),
            ("worthless, * False", UNDERSTOOD),
            ("worthless, sub 0", UNDERSTOOD),
            ("worthless, * None", UNDERSTOOD),
            ("a span in capitals", PAST),
            ("a number for a span", MOMENT),
            ("rules that are empty", NOBODY_NAMED),
            ("a token with a space behind it", AS_SIGNED),
        )
    ],
    Deliberate("tokens/jwt: a key that is no longer published", "* verify GET /token for None: *", PUBLISHED_ONLY),
    Deliberate("configured tokens/jwt: the next key is due", "* GET /.well-known/jwks.json: *", PUBLISHED_BEFORE),
    Deliberate("configured tokens/jwt: the next key is due", "rows: jwks", PUBLISHED_BEFORE),
    Deliberate("remote tokens/jwt: signed elsewhere by other rules", "* with rules: *", STILL_ELSEWHERE),
    Deliberate("remote tokens/jwt: signed elsewhere by other rules", "rows: jwks", STILL_ELSEWHERE),
    Deliberate("remote tokens/jwt: signed elsewhere by other rules", "* a number: *", UNDERSTOOD),
    Deliberate("remote tokens/jwt: signed elsewhere by other rules", "* no number: *", UNDERSTOOD),
    Deliberate("signed copies/jwt: a copy whose key is gone", "* GET /get-session: *", KEYS_OF_A_MINUTE),
    Deliberate("remote tokens/jwt: signed elsewhere", "3 GET /jwks: headers.content-type", NO_KEYS_HERE),
    Deliberate("limited/rate limit: wrong methods", "*", MATCHED_ONLY),
    Deliberate("limited/rate limit: unknown paths below a limited one", "*", MATCHED_ONLY),
    Deliberate("limited*", "*: headers.retry-after", RETRY_AFTER),
    Deliberate("behind proxies/*", "*: headers.retry-after", RETRY_AFTER),
    Deliberate("behind proxies/*", "rows: session.?.ipAddress", PEER_ADDRESS),
    Deliberate("named cookies/*", "* POST /update-user: cookies", AUTHORITATIVE),
    Deliberate("providers and copies/*", "* list: cookies", AUTHORITATIVE),
    Deliberate("several secrets/*", "* signed by the older secret: *", ANY_SECRET),
    *[
        Deliberate("stateless/*", f"*.{column}", EVERY_COLUMN)
        for column in ("user.image", "session.theme", "session.textSize", "session.role")
    ],
    Deliberate("stateless/*: ended elsewhere", "5 GET /list-sessions: body.json.0.*", EVERY_COLUMN),
    Deliberate("stateless/*: a big session", "1 POST /sign-up/email: cookies.3.value.chunk of", EVERY_COLUMN),
    Deliberate("stateless/*", "* POST /sign-out: cookies", NO_PROVIDERS),
    Deliberate("stateless/*", "* POST /revoke-sessions: cookies", NO_PROVIDERS),
    Deliberate("stateless/*: ended elsewhere", "14 GET /get-session*: cookies", NO_PROVIDERS),
    Deliberate(
        "stateless/*: not remembered", "2 POST /sign-in/email: cookies.2.value.payload.exp", AS_LONG_AS_THE_WINDOW
    ),
    Deliberate("stateless/*: not remembered", "3 GET /get-session: cookies", AS_LONG_AS_THE_WINDOW),
    Deliberate("secondary*: a password is reset", "rows: secondary storage", DEAD_LINKS),
    Deliberate("secondary*: all but one's own are revoked", "rows: secondary storage.1.value", NO_DEAD_ENTRIES),
]

CLIENT_DIFFERENCES = [
    Deliberate("sent codes/client", "rows: verification", CHALLENGE_SPENT),
    Deliberate("plugins/client", "* it is confirmed: data.token", LIVE_SESSION),
    Deliberate("plugins/client", "* it is confirmed: data.user.twoFactorEnabled", LIVE_SESSION),
    Deliberate("plugins/client", "* the address of the secret: data.totpURI", OWN_ISSUER),
]
"""What upstream's JavaScript client sees of them."""

OWN_ROWS = [
    OwnRows("verification", "identifier", "2fa-step-*", EACH_STEP_ONCE),
    OwnRows("verification", "identifier", "jwks-*", ONE_KEY),
    OwnRows("verification", "identifier", "links-void-since-*", DEAD_LINKS),
]


def unexpected(scenario: str, found: list[Difference], other: Side) -> list[Difference]:
    """Return what nobody listed; upstream has no excuse for differing from itself."""
    listed = [*DIFFERENCES, *CLIENT_DIFFERENCES] if other == "portico" else []
    return [each for each in found if not any(known.covers(scenario, each) for known in listed)]
