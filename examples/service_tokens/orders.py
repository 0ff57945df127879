"""A service that verifies tokens itself: it has neither database nor secret, and asks for the public keys only.

export ACCOUNTS_URL=http://localhost:3000
uvicorn orders:app --port 3001
"""

import os
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from portico import KeysUnavailableError
from portico.verify import SessionVerifier, TokenIssuer, VerifiedToken

ACCOUNTS_URL = os.environ.get("ACCOUNTS_URL", "http://localhost:3000")

verifier = SessionVerifier(
    tokens=TokenIssuer(
        issuer=ACCOUNTS_URL,
        audience="http://localhost:3001",
        jwks=f"{ACCOUNTS_URL}/api/auth/jwks",
        algorithms=["EdDSA"],
    )
)
app = FastAPI(title="Orders")


async def caller(request: Request) -> VerifiedToken:
    """Return the token of who is calling."""
    try:
        token = await verifier.verify_token(request)
    except KeysUnavailableError as error:
        # Who cannot be identified is not let in.
        raise HTTPException(503, "The accounts service does not answer") from error
    if token is None:
        raise HTTPException(401, "Bring a token of the accounts service", {"www-authenticate": "Bearer"})
    return token


@app.get("/orders")
async def orders(token: Annotated[VerifiedToken, Depends(caller)]) -> dict[str, str | list[str]]:
    """List the caller's orders."""
    return {"customer": token.claims["email"], "orders": []}
