"""A process that serves a site with everything on, as `portico serve` does; it says its URL when it is ready."""

from portico.cli.server import listen, run, url_of
from threats.everything import everything

HOST = "127.0.0.1"


def main() -> None:
    """Serve until the process is told to stop."""
    with listen(HOST, 0) as listener:
        site = everything()
        print("ready", url_of(HOST, listener), sep="\n", flush=True)  # noqa: T201  # the parent waits for both
        run(site.auth, listener)


if __name__ == "__main__":
    main()
