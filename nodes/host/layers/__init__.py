"""What stands in the place of a model's layers while it is called with a cast."""
