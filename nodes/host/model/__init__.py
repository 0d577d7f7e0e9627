"""Facts about ComfyUI's models and their calls: layers, slots, rows."""
