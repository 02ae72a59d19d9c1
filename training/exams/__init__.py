"""Exams of `lite`: on drawings, on films of the real world, on long streams, on a day."""
