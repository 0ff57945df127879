"""Runs in the clean environment of portico-client: signs in at the given address and prints who is signed in."""

import sys

from portico_client import AuthClient, models


def main(address: str) -> None:
    with AuthClient(address) as client:
        client.sign_up.email(name="Bob", email="bob@example.com", password="password123")
        client.sign_out()
        reply = client.sign_in.email(email="bob@example.com", password="password123")
        found = client.get_session()
        assert found is not None
        assert isinstance(reply, models.SignedIn)
        assert reply.token == found.session.token
        sys.stdout.write(found.user.email)


if __name__ == "__main__":
    main(sys.argv[1])
