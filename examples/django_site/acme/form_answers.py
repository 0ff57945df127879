"""Portico answers JSON. A browser that posted a form wants a page, so that the site works without JavaScript."""

import json
from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url

FORMS = {
    "/api/auth/sign-up/email": ("sign_up", "account"),
    "/api/auth/sign-in/email": ("sign_in", "account"),
    "/api/auth/sign-out": ("account", "home"),
}
"""What a form posts to; the page that has it, and the one that follows."""


class FormAnswers:
    """Turns Portico's answers to forms into redirects; cookies and everything else of them stay."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let Portico answer, which checks origin and limits, and lead the browser on."""
        if request.path not in FORMS or request.content_type != "application/x-www-form-urlencoded":
            return self.get_response(request)
        page, following = FORMS[request.path]
        wanted = request.POST.get("callbackURL", "")
        response = self.get_response(request)
        answer = json.loads(response.content or b"{}")
        if response.status_code == 200:
            # Portico has checked that the URL is one of ours.
            target = resolve_url(answer.get("url") or following)
        else:
            messages.error(request, answer.get("message", "That did not work."))
            target = resolve_url(page) + ("?" + urlencode({"next": wanted}) if wanted else "")
        response.status_code, response["location"] = 303, target
        response.content, response["content-length"] = b"", "0"
        return response
