"""A second pass over finished pictures: each member's small face, redrawn in close-up."""
