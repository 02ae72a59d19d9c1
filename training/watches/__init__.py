"""How often watches tell what is so, how soon, and how often what is not."""
