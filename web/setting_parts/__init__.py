"""What settings there are, and the kinds of values that they have."""
