"""Better Auth's own JavaScript client cannot tell the two servers apart."""

import json
import subprocess
import time

import pytest

from parity.compare import agree, compare, without
from parity.differences import CLIENT_DIFFERENCES, OWN_ROWS, unexpected
from parity.field import Field
from parity.normal_form import Tree, comparable
from parity.scenario import scenario, sign_up
from parity.scenarios.tokens import account
from parity.servers import HERE, Server, Side
from parity.transcript import run
from requirements import requirement

pytestmark = requirement("ARCH-formats")

FLOWS = {
    "plugins": "accounts,usernames,secondFactor",
    "names as sent": "usernames",
    "names without spaces": "usernames",
    "names for good": "usernames",
    "names alone": "usernames",
    "mails": "mails",
    "tokens": "tokens",
    "links": "links",
    "several": "several",
    "sent codes": "sentCodes",
    "devices": "devices",
    "providers": "providers",
    "encrypted providers": "providers",
    "jwt": "atOnce",
}
"""What the client does, by the configuration of the servers."""
BEFORE = {name: (sign_up(), account()) for name in FLOWS if name.endswith("providers")}
"""What is there before the client comes: nobody can sign in with a provider yet."""


def flows(server: Server) -> dict[str, Tree]:
    run(scenario("before the client", *BEFORE.get(server.configuration, ())), server)
    started = time.time()
    command = ["node", "client.mjs", f"http://127.0.0.1:{server.port}", server.origin, FLOWS[server.configuration]]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    steps = {f"{index} {each.pop('name')}": each for index, each in enumerate(json.loads(done.stdout), 1)}
    return comparable({**steps, "rows": without(OWN_ROWS, server.rows())}, started)


@pytest.mark.parametrize("other", ["portico", "upstream again"])
@pytest.mark.parametrize("configuration", FLOWS)
def test_the_javascript_client_sees_no_difference(field: Field, configuration: str, other: Side) -> None:
    name = f"{configuration}/client"
    expected, actual = (flows(field.server(side, configuration)) for side in ("upstream", other))
    found = compare(expected, actual)
    agree(unexpected(name, found, other))
    known = [each for each in CLIENT_DIFFERENCES if each.concerns(name)]
    gone = [str(each) for each in known if not any(each.covers(name, difference) for difference in found)]
    assert gone == ([] if other == "portico" else [str(each) for each in known])
