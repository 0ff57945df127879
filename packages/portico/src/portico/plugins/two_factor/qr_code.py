"""The QR code that an authenticator app is set up with. See ISO/IEC 18004."""

from portico.errors import ConfigError


def qr_code_svg(uri: str) -> str:
    """Return a picture of an otpauth: URI as an `<svg>` element, to be put into a page as it is.

    It scales to the size that the page gives it, is dark on white whatever the page's colours, so that cameras read it,
    and shows the secret: to whoever is setting up the app, once, and never by a URL that is kept somewhere.

    Raises:
        ConfigError: segno is not installed.
    """
    try:
        import segno  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise ConfigError("a QR code needs segno: pip install 'portico[qr]'") from error
    code = segno.make(uri, error="m", micro=False)
    return code.svg_inline(
        scale=4, light="white", dark="black", omitsize=True, title="QR code for the authenticator app"
    )
