"""Running trained networks, and measuring how fast they run."""
