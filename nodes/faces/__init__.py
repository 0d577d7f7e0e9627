"""Photos in, identities out."""
