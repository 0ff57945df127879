"""A Django site whose users are Portico's: pages for signing up, in and out, and one for signed-in users."""
