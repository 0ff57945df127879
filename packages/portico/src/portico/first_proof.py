"""The first proof of a mailbox, and what it ends: whatever somebody put on the account before they could prove it.

Who signs up with another's address waits for its owner to come. See Sudhodanan and Paverd, "Pre-hijacked accounts",
USENIX Security 2022.
"""

from portico import admission, mail_links
from portico.context import Context
from portico.models import User, UserT
from portico.users import Users


async def prove_mailbox(ctx: Context, users: Users[UserT], user: User) -> UserT | None:
    """Count the address of `user` as proven by somebody who reads its mail, and return the user as they are now.

    If it is the first proof, every account, session, further credential and pending change of address goes first. None
    if the user is gone or has another address by now. For flows that need no password, such as a link that signs in:
    where a link only confirms a sign-up, its password is meant to stay.
    """
    async with ctx.transaction() as inside:
        # Two proofs at once must not each end what the other one has just begun.
        await users.hold(inside, user)
        current = await users.find(inside, id=user.id, email=user.email)
        if current is None or current.email_verified:
            return current
        await inside.auth.accounts.delete(inside, user_id=current.id)
        await inside.auth.sessions.delete(inside, user_id=current.id)
        # Trusted devices, half-finished sign-ins, links that delete: they belong to the user whom they name.
        await inside.auth.verifications.delete_values(inside, current.id)
        for plugin in inside.auth.api.plugins:
            await plugin.drop_credentials(inside, current)
        await mail_links.void(inside, current)
        owner = await users.update(inside, {"id": current.id}, email_verified=True)
        await admission.end_late(inside, current)
        return owner
