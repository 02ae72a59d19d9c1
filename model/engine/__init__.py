"""The network as a service: what may be asked of it, and the one thread that runs it in turns."""
