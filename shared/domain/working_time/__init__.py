"""Working time: how much of it passes between two instants, and when so much will have passed."""
