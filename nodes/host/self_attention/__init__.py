"""People kept apart in self-attention, and their photos as references."""
