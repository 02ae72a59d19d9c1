"""`flashback mcp`: the streams of a running service as tools of any assistant that speaks MCP."""
