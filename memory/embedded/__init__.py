"""A Redis server of our own, for those who run none."""
