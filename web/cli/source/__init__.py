"""Commands that look at a source and answer, without a server."""
