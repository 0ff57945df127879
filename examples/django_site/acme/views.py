"""The pages. Their forms post to Portico's endpoints; FormAnswers leads the browser on from there."""

import portico
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from portico.hosts.django import AuthRequest, SessionRequest, login_required


def home(request: AuthRequest[portico.User, portico.Session]) -> HttpResponse:
    """Show everybody who they are."""
    return render(request, "home.html", {"caller": request.auth_session})


def sign_up(request: HttpRequest) -> HttpResponse:
    """Show the form for new users."""
    return render(request, "sign_up.html")


def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form for users; `login_required` says in `next` where they wanted to go."""
    return render(request, "sign_in.html", {"next": request.GET.get("next", "")})


@login_required
def account(request: SessionRequest[portico.User, portico.Session]) -> HttpResponse:
    """Show a page for signed-in users only."""
    return render(request, "account.html", {"user": request.auth_session.user})
