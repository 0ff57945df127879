"""A service without users of its own: it asks the accounts service who is calling, with the caller's own credentials.

It has neither the database nor the secret of the other.

export ACCOUNTS_URL=http://localhost:3000
uvicorn orders:app --port 3001
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI, HTTPException, Request
from portico_client import AsyncAuthClient, ForwardedAuth, errors, models

ACCOUNTS_URL = os.environ.get("ACCOUNTS_URL", "http://localhost:3000")


@asynccontextmanager
async def lifespan(running: FastAPI) -> AsyncGenerator[None]:
    """Share one pool of connections among all requests."""
    async with httpx.AsyncClient() as http:
        running.state.http = http
        yield


app = FastAPI(title="Orders", lifespan=lifespan)


async def caller(request: Request) -> models.SessionData:
    """Return who is calling; a client for each request, so that no caller has another's credentials."""
    accounts = AsyncAuthClient(ACCOUNTS_URL, auth=ForwardedAuth(request), http_client=request.app.state.http, timeout=5)
    try:
        session = await accounts.get_session()
    except errors.AuthError as error:
        # Who cannot be identified is not let in.
        raise HTTPException(503, "The accounts service does not answer") from error
    if session is None:
        raise HTTPException(401, "Sign in first")
    return session


@app.get("/orders")
async def orders(session: Annotated[models.SessionData, Depends(caller)]) -> dict[str, str | list[str]]:
    """List the caller's orders."""
    return {"customer": session.user.email, "orders": []}
