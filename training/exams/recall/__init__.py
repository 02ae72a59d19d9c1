"""The exam in what was shown long ago: its cases, its scores, and what was told."""
