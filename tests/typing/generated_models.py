"""Generated models of SQLAlchemy are typed."""

from datetime import datetime
from typing import Any, assert_type

from sqlalchemy import select

from cli.golden.models import Session, User


def columns(user: User, session: Session) -> None:
    assert_type(user.id, str)
    assert_type(user.email_verified, bool)
    assert_type(user.image, str | None)
    assert_type(user.created_at, datetime)
    assert_type(user.shoe_size, int | None)
    assert_type(user.score, float)
    assert_type(user.tags, list[str] | None)
    assert_type(user.settings, Any)
    assert_type(session.user_id, str)
    select(User).where(User.email == "ann@example.com", User.created_at < session.expires_at)
