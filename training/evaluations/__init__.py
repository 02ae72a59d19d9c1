"""The public benchmarks of video understanding: their items, their prompts and two ways to score."""
