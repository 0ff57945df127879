"""`portico init`: a small application that works."""
