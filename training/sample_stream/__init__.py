"""The sample stream that comes with the product, and whether an answer about it is right."""
