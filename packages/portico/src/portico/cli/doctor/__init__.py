"""`portico doctor`: what stands between an Auth and production."""
