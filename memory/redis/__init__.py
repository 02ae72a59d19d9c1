"""Clips, documents and records as they lie in Redis, and every change of them."""
