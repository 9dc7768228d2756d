"""Capture of code and environment: its place; nothing is captured yet."""
