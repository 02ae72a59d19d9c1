"""Measurements of the running service and of the model, as tables and lines of JSON."""
