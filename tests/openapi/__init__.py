"""The document of an Auth."""
