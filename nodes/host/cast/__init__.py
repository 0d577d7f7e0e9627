"""A cast on ComfyUI's model: wrappers, runs, steps, calls, layers."""
