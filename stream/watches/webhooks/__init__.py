"""Events told to other machines: queued, signed, tried again."""
