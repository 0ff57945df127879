"""`portico info`: what an Auth is made of, without anything secret."""
