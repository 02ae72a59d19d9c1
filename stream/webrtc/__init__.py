"""WebRTC: video in (WHIP), video out (WHEP), and a client that sends a file."""
