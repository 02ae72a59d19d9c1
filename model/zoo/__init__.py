"""Networks by name: how each is built, where its weights come from, and on which device it runs."""
