"""Reading back: one set of rules for what a run says, whether a folder or a server tells it."""
