"""The networks that look at frames, and what they say, read off their outputs."""
