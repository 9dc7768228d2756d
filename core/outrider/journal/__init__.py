"""The journal: what a run's writers append, and how it is read back."""
