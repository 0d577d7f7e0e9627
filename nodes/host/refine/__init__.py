"""Close-ups drawn by the host's sampler."""
