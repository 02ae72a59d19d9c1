"""What memory holds of a stream: its record, the engine's history in step with it, and a second look at it."""
