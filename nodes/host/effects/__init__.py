"""What a cast does to a model, one effect a file."""
