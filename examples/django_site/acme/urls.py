"""The pages of the site, and Portico's endpoints below /api/auth."""

from acme import views
from django.urls import path
from portico.hosts import django

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-up", views.sign_up, name="sign_up"),
    path("sign-in", views.sign_in, name="sign_in"),
    path("account", views.account, name="account"),
    *django.urls(),
]
