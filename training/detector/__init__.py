"""The detector: its published graph run node by node, and its weights for our network."""
