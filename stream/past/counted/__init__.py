"""What is counted, not written by the language model: when, how long, how many, what was with it, what changed."""
