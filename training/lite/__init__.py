"""How `lite` is taught: its stages, what they learn from, and the loop that they share."""
