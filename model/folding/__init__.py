"""What is read of a stream without an end: a list of clips with a bound, the old ones folded."""
