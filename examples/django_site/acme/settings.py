"""Settings of the site: what differs between places comes from the environment."""

import os
from pathlib import Path
from urllib.parse import urlsplit

BASE_DIR = Path(__file__).parent.parent
PUBLIC = urlsplit(os.environ["BETTER_AUTH_URL"])

SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
ALLOWED_HOSTS = [PUBLIC.hostname or ""]
USE_TZ = True

INSTALLED_APPS = ["django.contrib.messages"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portico.hosts.django.SessionMiddleware",
    "acme.form_answers.FormAnswers",
]
ROOT_URLCONF = "acme.urls"
WSGI_APPLICATION = "acme.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
# Django's own sessions and users are not installed.
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

PORTICO_AUTH = "acme.accounts.auth"
LOGIN_URL = "sign_in"

# With an https address, everything is https.
SECURE_SSL_REDIRECT = CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = PUBLIC.scheme == "https"
