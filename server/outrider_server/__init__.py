"""The server: takes what streamers send, keeps it, answers questions about it, serves the page."""
