"""The plain-Python adapter: conversions for what scripts log and configure with."""
