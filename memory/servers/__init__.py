"""Redis servers that others run: one, a cluster, or those that Sentinels watch. How each is reached, and why it is not."""
