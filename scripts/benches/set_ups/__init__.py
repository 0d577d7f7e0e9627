"""A set-up in a folder of its own, killed and started again."""
