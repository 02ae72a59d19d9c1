"""Commands that speak to a running service, and load nothing of it."""
