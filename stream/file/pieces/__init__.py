"""Which pieces of a file are read as one film, by its format."""
