"""From the words of a request to a condition."""
