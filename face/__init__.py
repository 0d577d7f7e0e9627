"""A photo in, identities out: detection, alignment, embedding, selection."""
