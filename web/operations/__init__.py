"""For those who run the service: its log, its numbers, its audit, its upkeep, and its end."""
