"""How people put what they ask: as they spell it, and several things in one."""
