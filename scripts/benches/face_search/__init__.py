"""What the bench `faces` is made of."""
