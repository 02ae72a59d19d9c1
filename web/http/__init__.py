"""The HTTP routes, and what every request and connection passes before them."""
