"""The public benchmarks, a file each: their annotations, their prompts, their scores."""
