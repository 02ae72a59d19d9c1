"""Traces of questions and clips, off by default: see `contract.py`."""
