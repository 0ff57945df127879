"""Use the plugin of ../custom_plugin through a client that was generated with it: methods, replies and codes are typed.

Ann is a founder; Bob needs her invitation. With the server running:

cd ../custom_plugin
PORTICO_ENV=development portico client generate app:auth --out ../custom_plugin_client/acme_client
cd ../custom_plugin_client
export ACME_URL=http://localhost:3000
python invite.py
"""

import os

from acme_client import AuthClient, errors

URL = os.environ.get("ACME_URL", "http://localhost:3000")


def main() -> None:
    """Sign Ann up, let her invite Bob, and sign him up."""
    # A client has cookies of its own: these are two people.
    with AuthClient(URL) as ann, AuthClient(URL) as bob:
        ann.sign_up.email(name="Ann", email="ann@example.com", password="correct horse")
        try:
            bob.sign_up.email(name="Bob", email="bob@example.com", password="battery staple")
        except errors.Forbidden as refusal:
            if refusal.code != "NOT_INVITED":  # a misspelt code is an error of the type checker
                raise
            print(f"Bob: {refusal.message}")
        ann.invitations.create(email="bob@example.com")
        invited = ann.invitations.list().invitations
        print(f"Ann invited {', '.join(invitation.email for invitation in invited)}")
        user = bob.sign_up.email(name="Bob", email="bob@example.com", password="battery staple").user
        print(f"{user.name} is in")


if __name__ == "__main__":
    main()
