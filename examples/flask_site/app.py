"""A Flask site: pages for signing up, in and out, and one for signed-in users, all without JavaScript.

Its forms come to views of the site, which let Portico answer them and turn the answers into pages.

export BETTER_AUTH_SECRET=$(portico secret)
export BETTER_AUTH_URL=http://localhost:3000
portico migrate app:auth
flask run --port 3000
"""

import json

from flask import Flask, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from portico import Auth, EmailAndPassword, Headers, Request
from portico.hosts.flask import current_session, login_required, mount, optional_session

# BETTER_AUTH_URL says where the site is.
auth = Auth(
    database="sqlite:///auth.db",
    email_and_password=EmailAndPassword(enabled=True),
)
app = Flask(__name__)
mount(app, auth)


@app.get("/")
def home() -> str:
    """Show everybody who they are."""
    return render_template("home.html", caller=optional_session(auth))


@app.get("/account")
@login_required(auth, "/sign-in")
def account() -> str:
    """Show a page for signed-in users only."""
    return render_template("account.html", user=current_session(auth).user)


@app.route("/sign-up", methods=["GET", "POST"])
def sign_up() -> ResponseReturnValue:
    """Show the form for new users, or make one."""
    return render_template("sign_up.html") if request.method == "GET" else posted("/sign-up/email", "sign_up.html")


@app.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Show the form for users, or sign one in."""
    return render_template("sign_in.html") if request.method == "GET" else posted("/sign-in/email", "sign_in.html")


@app.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session."""
    return posted("/sign-out", "home.html", following="home")


def posted(endpoint: str, page: str, *, following: str = "account") -> ResponseReturnValue:
    """Let Portico answer the form: whatever it refuses, foreign origins and too many tries too, is said on `page`."""
    answer = auth.run(
        auth.handler,
        Request(
            method="POST",
            path=auth.site.path + endpoint,
            headers=Headers(request.headers.items()),
            body=request.get_data(),
            peer=request.remote_addr or "",
        ),
    )
    content = json.loads(answer.body or b"{}")
    if answer.status != 200:
        return render_template(page, message=content.get("message", "That did not work.")), answer.status
    # Portico has checked that the URL is one of ours.
    response = redirect(content.get("url") or url_for(following), 303)
    for name, value in answer.headers:
        if name == "set-cookie":
            response.headers.add(name, value)
    response.call_on_close(lambda: auth.run(auth.finish, answer))
    return response
