"""Which addresses are dialled: how callers write them, how names are looked up, what is refused."""
