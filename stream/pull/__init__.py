"""Sources that the service reads itself: a supervisor here, a killable worker process for each."""
