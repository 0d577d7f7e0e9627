"""What is tried on every ComfyUI of the compatibility table."""
