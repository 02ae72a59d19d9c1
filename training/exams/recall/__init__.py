"""The exam about a day: its questions, how it is scored, and what was told so far."""
