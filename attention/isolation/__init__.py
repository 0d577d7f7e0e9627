"""People kept apart: who sees whom in self-attention, convolutions and group norms."""
