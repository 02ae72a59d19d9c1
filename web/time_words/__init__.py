"""Words of time in a question ("ten minutes ago", "between 10:05 and 10:20"), and the range they mean."""
