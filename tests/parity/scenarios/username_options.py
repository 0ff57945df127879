"""Usernames under other options: validators, normalization, the order of both, names for good, names alone."""

from parity.scenario import Scenario, post, scenario, sign_up, whoami
from parity.scenarios.usernames import available, enter, named

AS_SENT = "names as sent"
WITHOUT_SPACES = "names without spaces"
OWN = "own names without spaces"
FOR_GOOD = "names for good"
ALONE = "names alone"

NAMES = ("A n n", "a", "  a", "a b", "Ädmin", "sysAdmin", "🔐", "🔐" * 6, "🔐" * 7, " ", "a" + " " * 20, "x" * 9)


def tried(name: str, configuration: str) -> Scenario:
    return scenario(
        f"{name[:20]!r} {len(name)}", named(name), whoami(), available(name), enter(name, jar="b"), on=configuration
    )


USERNAME_OPTIONS = [
    *[
        tried(name, configuration)
        for configuration in (AS_SENT, WITHOUT_SPACES, OWN)
        for name in (
            "A n n",
            "a",
            "  a",
            "a b",
            "Ädmin",
            "sysAdmin",
            "🔐",
            "🔐" * 6,
            "🔐" * 7,
            " ",
            "a" + " " * 20,
            "x" * 9,
        )
    ],
    scenario(
        "two users in one spelling each",
        named("Ann"),
        named("ann", "bob@example.com", jar="b"),
        available("ANN"),
        available("Ann"),
        enter("Ann", jar="c"),
        whoami(jar="c"),
        enter("ann", jar="c"),
        whoami(jar="c"),
        enter("ANN", jar="c"),
        post("/update-user", {"username": "Ann"}, jar="b", label="taken"),
        post("/update-user", {"username": "ANN"}, jar="b", label="free"),
        whoami(jar="b"),
        on=AS_SENT,
    ),
    *[
        scenario(
            f"display names, {configuration}",
            named("ann", displayUsername="Root"),
            sign_up(displayUsername="Root", label="without a username"),
            named("ann", displayUsername=" Ro ot"),
            whoami(),
            post("/update-user", {"displayUsername": "Root"}),
            post("/update-user", {"displayUsername": "R o o t"}, label="with spaces"),
            post("/update-user", {"displayUsername": "Some Body", "username": "Some one"}, label="both"),
            post("/update-user", {"displayUsername": "Root", "username": "admin"}, label="both are bad"),
            post("/update-user", {"displayUsername": "Root", "username": None}, label="none and a bad one"),
            post("/update-user", {"displayUsername": None}, label="null"),
            post("/update-user", {"displayUsername": ""}, label="empty"),
            whoami(),
            on=configuration,
        )
        for configuration in (AS_SENT, WITHOUT_SPACES, OWN)
    ],
    *[
        scenario(
            f"a display name alone {shown!r}, {configuration}",
            sign_up(displayUsername=shown),
            whoami(),
            on=configuration,
        )
        for configuration in (AS_SENT, WITHOUT_SPACES, OWN, FOR_GOOD)
        for shown in ("An n", "Ann the Great", "Sys Admin", "")
    ],
    *[
        scenario(
            f"one name in several spellings, {configuration}",
            named("An n"),
            named("a nn", "bob@example.com", jar="b", label="taken"),
            available("A N N"),
            enter("a n n", jar="c"),
            enter("ann", jar="c"),
            post("/update-user", {"username": "A nn"}, label="in another way"),
            post("/update-user", {"username": " Be t h"}, label="another one"),
            whoami(),
            on=configuration,
        )
        for configuration in (WITHOUT_SPACES, OWN)
    ],
    scenario(
        "who has a name",
        named("Ann"),
        post("/update-user", {"username": "ANN"}, label="in other letters"),
        post("/update-user", {"username": "Other"}, label="another one"),
        post("/update-user", {"username": "x"}, label="a short one"),
        post("/update-user", {"username": ""}, label="an empty one"),
        post("/update-user", {"username": "Other", "name": "Anna"}, label="and something else"),
        post("/update-user", {"displayUsername": "The Ann", "name": "Anna"}, label="but not the username"),
        whoami(),
        enter("ann", jar="c"),
        on=FOR_GOOD,
    ),
    scenario("who gives a name away", named("Ann"), post("/update-user", {"username": None}), whoami(), on=FOR_GOOD),
    scenario(
        "who has none",
        sign_up(),
        named("Bob", "bob@example.com", jar="b"),
        post("/update-user", {"username": None, "name": "Anna"}, label="stays so"),
        post("/update-user", {"username": "bob"}, label="takes one"),
        post("/update-user", {"username": "Ann"}, label="chooses one"),
        post("/update-user", {"username": "Other"}, label="chooses another one"),
        whoami(),
        post("/update-user", {"username": "Ann"}, jar="c", label="somebody without a session"),
        on=FOR_GOOD,
    ),
    scenario(
        "without display names",
        named("Ann", displayUsername="The Ann"),
        whoami(),
        sign_up("bob@example.com", displayUsername="Bob", jar="b"),
        whoami(jar="b"),
        sign_up("cat@example.com", displayUsername="The Cat", jar="c"),
        whoami(jar="c"),
        post("/update-user", {"username": "Anna", "displayUsername": "The Ann"}),
        post("/update-user", {"displayUsername": "The Ann"}, label="alone"),
        whoami(),
        enter("ANNA", jar="d"),
        on=ALONE,
    ),
]
