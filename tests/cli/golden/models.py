"""The tables of app:auth."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from portico.column_types import Flag, Json, Timestamp


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    __table_args__ = (sa.Index("user_class_idx", "class"),)

    id: Mapped[str] = mapped_column("id", sa.Text(), primary_key=True)
    name: Mapped[str] = mapped_column("name", sa.Text())
    email: Mapped[str] = mapped_column("email", sa.Text(), unique=True)
    email_verified: Mapped[bool] = mapped_column("emailVerified", Flag())
    image: Mapped[str | None] = mapped_column("image", sa.Text())
    created_at: Mapped[datetime] = mapped_column(
        "createdAt", Timestamp(), server_default=sa.text("CURRENT_TIMESTAMP")
    )
    updated_at: Mapped[datetime] = mapped_column(
        "updatedAt", Timestamp(), server_default=sa.text("CURRENT_TIMESTAMP")
    )
    two_factor_enabled: Mapped[bool | None] = mapped_column("twoFactorEnabled", Flag())
    username: Mapped[str | None] = mapped_column("username", sa.Text(), unique=True)
    display_username: Mapped[str | None] = mapped_column("displayUsername", sa.Text())
    shoe_size: Mapped[int | None] = mapped_column("shoeSize", sa.Integer())
    score: Mapped[float] = mapped_column("score", sa.Double())
    steps: Mapped[int | None] = mapped_column("steps", sa.BigInteger())
    settings: Mapped[Any] = mapped_column("settings", Json(), nullable=True)
    metadata_: Mapped[Any] = mapped_column("metadata", Json(), nullable=True)
    tags: Mapped[list[str] | None] = mapped_column("tags", Json())
    nickname: Mapped[str | None] = mapped_column("nickname", sa.Text(), unique=True)
    born_at: Mapped[datetime | None] = mapped_column("bornAt", Timestamp())
    class_: Mapped[str | None] = mapped_column("class", sa.Text())
    chief_id: Mapped[str | None] = mapped_column(
        "chiefId", sa.Text(), sa.ForeignKey("user.id", ondelete="set null")
    )


class Session(Base):
    __tablename__ = "session"
    __table_args__ = (sa.Index("session_userId_idx", "userId"),)

    id: Mapped[str] = mapped_column("id", sa.Text(), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column("expiresAt", Timestamp())
    token: Mapped[str] = mapped_column("token", sa.Text(), unique=True)
    created_at: Mapped[datetime] = mapped_column(
        "createdAt", Timestamp(), server_default=sa.text("CURRENT_TIMESTAMP")
    )
    updated_at: Mapped[datetime] = mapped_column("updatedAt", Timestamp())
    ip_address: Mapped[str | None] = mapped_column("ipAddress", sa.Text())
    user_agent: Mapped[str | None] = mapped_column("userAgent", sa.Text())
    user_id: Mapped[str] = mapped_column(
        "userId", sa.Text(), sa.ForeignKey("user.id", ondelete="cascade")
    )


class Account(Base):
    __tablename__ = "account"
    __table_args__ = (sa.Index("account_userId_idx", "userId"),)

    id: Mapped[str] = mapped_column("id", sa.Text(), primary_key=True)
    account_id: Mapped[str] = mapped_column("accountId", sa.Text())
    provider_id: Mapped[str] = mapped_column("providerId", sa.Text())
    user_id: Mapped[str] = mapped_column(
        "userId", sa.Text(), sa.ForeignKey("user.id", ondelete="cascade")
    )
    access_token: Mapped[str | None] = mapped_column("accessToken", sa.Text())
    refresh_token: Mapped[str | None] = mapped_column("refreshToken", sa.Text())
    id_token: Mapped[str | None] = mapped_column("idToken", sa.Text())
    access_token_expires_at: Mapped[datetime | None] = mapped_column(
        "accessTokenExpiresAt", Timestamp()
    )
    refresh_token_expires_at: Mapped[datetime | None] = mapped_column(
        "refreshTokenExpiresAt", Timestamp()
    )
    scope: Mapped[str | None] = mapped_column("scope", sa.Text())
    password: Mapped[str | None] = mapped_column("password", sa.Text())
    created_at: Mapped[datetime] = mapped_column(
        "createdAt", Timestamp(), server_default=sa.text("CURRENT_TIMESTAMP")
    )
    updated_at: Mapped[datetime] = mapped_column("updatedAt", Timestamp())


class Verification(Base):
    __tablename__ = "verification"
    __table_args__ = (sa.Index("verification_identifier_idx", "identifier"),)

    id: Mapped[str] = mapped_column("id", sa.Text(), primary_key=True)
    identifier: Mapped[str] = mapped_column("identifier", sa.Text())
    value: Mapped[str] = mapped_column("value", sa.Text())
    expires_at: Mapped[datetime] = mapped_column("expiresAt", Timestamp())
    created_at: Mapped[datetime] = mapped_column(
        "createdAt", Timestamp(), server_default=sa.text("CURRENT_TIMESTAMP")
    )
    updated_at: Mapped[datetime] = mapped_column(
        "updatedAt", Timestamp(), server_default=sa.text("CURRENT_TIMESTAMP")
    )


class RateLimit(Base):
    __tablename__ = "rateLimit"

    id: Mapped[str] = mapped_column("id", sa.Text(), primary_key=True)
    key: Mapped[str] = mapped_column("key", sa.Text(), unique=True)
    count: Mapped[int] = mapped_column("count", sa.Integer())
    last_request: Mapped[int] = mapped_column("lastRequest", sa.BigInteger())


class TwoFactor(Base):
    __tablename__ = "twoFactor"
    __table_args__ = (
        sa.Index("twoFactor_secret_idx", "secret"),
        sa.Index("twoFactor_userId_idx", "userId"),
    )

    id: Mapped[str] = mapped_column("id", sa.Text(), primary_key=True)
    secret: Mapped[str] = mapped_column("secret", sa.Text())
    backup_codes: Mapped[str] = mapped_column("backupCodes", sa.Text())
    user_id: Mapped[str] = mapped_column(
        "userId", sa.Text(), sa.ForeignKey("user.id", ondelete="cascade")
    )
    verified: Mapped[bool | None] = mapped_column("verified", Flag())
    failed_verification_count: Mapped[int | None] = mapped_column(
        "failedVerificationCount", sa.Integer()
    )
    locked_until: Mapped[datetime | None] = mapped_column("lockedUntil", Timestamp())
