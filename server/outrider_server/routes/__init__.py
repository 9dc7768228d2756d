"""The API's operations: each module lists its own, and ``app`` puts them together."""
