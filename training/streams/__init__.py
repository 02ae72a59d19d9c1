"""Made-up streams: what happens in them, and what their clips say."""
