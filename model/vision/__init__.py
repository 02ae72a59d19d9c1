"""From frames to the tokens of a clip: encoders, merging, and what `lite` has words for."""
