"""Mails that nobody would send."""

from collections.abc import Iterator

from portico.cli.doctor.finding import Examined, Finding, judged

SENDER = "EmailVerification(send_verification_email=...)"


def senders(examined: Examined) -> Iterator[Finding]:
    """Look whether each mail that is promised has a sender."""
    auth = examined.auth
    password, verification = auth.email_and_password, auth.email_verification
    change = auth.user_options.change_email
    needing = [
        name
        for name, is_on in {
            "email_and_password.require_email_verification": password.require_email_verification,
            "email_verification.send_on_sign_up": bool(verification.send_on_sign_up),
            "email_verification.send_on_sign_in": verification.send_on_sign_in,
            "user.change_email": change.enabled and not change.update_email_without_verification,
        }.items()
        if is_on
    ]
    yield judged(
        "mail-verification",
        "fail",
        bool(needing) and verification.send_verification_email is None,
        good="whoever has to prove an address is mailed a link",
        says=f"nobody mails the link that {', '.join(needing)} needs: users are locked out",
        remedy=SENDER,
    )
    yield judged(
        "mail-reset",
        "warn",
        password.enabled and password.send_reset_password is None,
        good="whoever forgets a password gets a new one, or there are none",
        says="whoever forgets the password is locked out",
        remedy="EmailAndPassword(send_reset_password=...)",
    )
    yield judged(
        "mail-proof",
        "warn",
        password.enabled and not password.disable_sign_up and not password.require_email_verification,
        good="addresses are proven before they are used",
        says="anybody signs up with anybody's address, and learns whether it is taken",
        remedy=f"EmailAndPassword(require_email_verification=True) and {SENDER}",
    )
    yield judged(
        "mail-change",
        "warn",
        change.enabled and change.send_change_email_confirmation is None,
        good="nobody loses an account to another address without a mail to the old one",
        says="whoever holds a session takes the account to another address, and its owner hears nothing",
        remedy="ChangeEmail(send_change_email_confirmation=...)",
    )
