"""Questions about made-up streams, and how things are called in them."""
