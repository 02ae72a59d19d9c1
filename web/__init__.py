"""The edge of the service: commands, HTTP, WebSocket and the page."""
