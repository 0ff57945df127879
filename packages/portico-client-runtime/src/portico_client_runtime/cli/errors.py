"""What can go wrong on the command line, and the exit code that says it.

AuthError
    NotSignedInError    4
    LoginError          1    the server, its user or the time did not let the tool in
ConfigError             2    a mistake in what was asked for
"""

from portico_client_runtime.errors import AuthError


class NotSignedInError(AuthError):
    """There is no token, or the server does not accept it any more."""


class LoginError(AuthError):
    """Signing in came to nothing; the message is one sentence."""
