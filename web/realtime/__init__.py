"""The WebSocket in OpenAI's Realtime events: its types, its route, its connections."""
