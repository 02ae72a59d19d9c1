"""How the `lite` model is made: scenes, cached features, stages."""
