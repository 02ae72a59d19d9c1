"""What every benchmark has: options, a report, and the machine that it ran on."""
