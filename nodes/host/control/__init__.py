"""Casts, regions and faces inside ComfyUI's ControlNets."""
