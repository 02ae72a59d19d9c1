"""What every connection and request passes before any route sees it."""
