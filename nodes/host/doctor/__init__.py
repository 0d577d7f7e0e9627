"""What the Doctor looks at."""
