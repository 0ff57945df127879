"""What runs SQL: one executor per driver."""
