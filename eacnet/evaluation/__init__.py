"""Counting how right a network is, and turning the counts into scores."""
