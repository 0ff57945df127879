"""The OAuth client side: providers, and the tokens that they gave to users."""
