"""Who may sign in, and where the users live: the setting PORTICO_AUTH names this object."""

from portico import Auth, EmailAndPassword

auth = Auth(
    database="sqlite:///auth.db",
    email_and_password=EmailAndPassword(enabled=True),
)
