"""How fast networks run, and in how much memory, measured side by side."""
