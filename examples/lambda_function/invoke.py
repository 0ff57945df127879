"""Call a function of app.py as AWS would: `python invoke.py greeting events/greeting.json [cookie...]`."""

import json
import sys
from pathlib import Path

import app


def main(function: str, event_file: str, *cookies: str) -> None:
    """Print what the function answers to an event, from a browser with these cookies."""
    event = json.loads(Path(event_file).read_text(encoding="utf-8"))
    # The format has cookies apart from the other headers.
    event["cookies"] = list(cookies)
    print(json.dumps(getattr(app, function)(event, None), indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
