"""Make a user whom nobody signed up, or raise one who did; by the verbs of their Auth, so that its hooks have a say."""

from dataclasses import dataclass
from typing import Any, Literal

from portico import first_proof
from portico.auth import Auth
from portico.context import Context
from portico.errors import ConfigError
from portico.models import User
from portico.provisioning import UserInfoSource, new_user

BY_OPERATOR = UserInfoSource(method="admin")
ADMIN = "admin"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Who is to be there afterwards."""

    email: str
    name: str
    password: str | None
    """None keeps the one that there is."""
    gets_role: bool
    """The role `admin`, which the user table has a column for."""


@dataclass(frozen=True, kw_only=True)
class Appointed:
    """Who is there now."""

    user: User
    outcome: Literal["created", "promoted"]


def has_role(auth: Auth[Any]) -> bool:
    """Tell whether users have roles."""
    return "role" in auth.tables["user"].fields


def needs_password(user: User | None) -> bool:
    """Tell whether a password must be given: without a proof of the address, the present one may be a stranger's."""
    return user is None or not user.email_verified


async def appointed(auth: Auth[Any], wish: Wish) -> Appointed:
    """Create the user with a proven address and a password, or raise the one who has the address.

    Whoever runs this vouches for the address. If it was never proven, everything goes that was put on the account
    before: somebody may have signed up with it to wait for this moment.

    Raises:
        ApiError: the password, a hook or the application refuses.
    """
    ctx = auth.context(None)
    hashed = None if wish.password is None else await auth.accounts.hash(wish.password)
    user = await auth.users.find_by_email(ctx, wish.email)
    if user is not None:
        return Appointed(user=await _raised(ctx, user, wish, hashed), outcome="promoted")
    if hashed is None:
        raise ConfigError(f"{wish.email} needs a password")
    role = {"role": ADMIN} if wish.gets_role else {}
    values = {"name": wish.name, "email": wish.email, "email_verified": True, **role}
    async with new_user(ctx, auth.users, BY_OPERATOR, **values) as (inside, made):
        await auth.accounts.add_credential(inside, made, hashed)
    return Appointed(user=made, outcome="created")


async def _raised(ctx: Context, user: User, wish: Wish, hashed: str | None) -> User:
    auth = ctx.auth
    if hashed is None and needs_password(user):
        raise ConfigError(
            f"the address of {user.email} was never proven, so its password does not stay: give a new one"
        )
    async with ctx.transaction() as inside:
        current: User | None = await first_proof.prove_mailbox(inside, auth.users, user)
        if current is not None and wish.gets_role:
            current = await auth.users.update(inside, {"id": user.id}, role=ADMIN)
        if current is None:
            raise ConfigError(f"{user.email} is gone")
        if hashed is not None:
            await auth.accounts.set_password(inside, current, hashed)
            # Whoever knew the old one is out.
            await auth.sessions.delete(inside, user_id=current.id)
    return current
