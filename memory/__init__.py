"""What was seen of each stream: clip tokens and thumbnails, kept in Redis."""
