"""Where the concrete classes are put together, and nowhere else."""
