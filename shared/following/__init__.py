"""What every follower of a log needs: events as they are stored, checkpoints, dead letters."""
