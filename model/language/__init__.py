"""The language model: prompt, layers, attention, caches, dropout, and the choice of each token."""
