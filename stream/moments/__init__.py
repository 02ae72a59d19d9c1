"""What was seen, by the things in it: found by words, and told in order."""
