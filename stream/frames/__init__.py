"""From pictures to clips: scaled, blacked out, sampled, cut into scenes, grouped, with their times."""
