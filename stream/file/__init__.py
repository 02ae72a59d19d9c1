"""Video files: what is in them, and how a stream is shown one."""
