"""Tools that are no part of this project, with our document and a live server."""
