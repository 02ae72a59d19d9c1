"""Who may come in, how often, and how much of everything: tokens, their rights, their limits."""
