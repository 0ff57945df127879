"""How the pages look that browsers are shown."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Pages:
    """The look of every page: custom properties of CSS, such as `--accent: #7a1fa2; --radius: 0`.

    `portico.pages.LIGHT` lists them with their defaults, which keep to WCAG 2.2 AA; whether yours do is for you to see.
    The name on the pages is `Auth(app_name=...)`.
    """

    css: str = ""
    """Takes the place of the defaults, light and dark."""

    dark_css: str = ""
    """Takes the place of both where somebody prefers dark pages."""
