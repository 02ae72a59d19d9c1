"""Opening what a worker reads: everything FFmpeg may reach is dialled and checked here."""
