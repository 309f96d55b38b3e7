"""Losses, schedule, the loop and its checkpoints."""
