"""A service in a process of its own, and who sends to it, watches it and asks it questions."""
