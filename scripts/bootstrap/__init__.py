"""Sets up, once, the private ComfyUI that the demo, the tests and the benches run on. Standard library only."""
