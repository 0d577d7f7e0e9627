"""Starts a real ComfyUI with this pack in it and talks to it. Standard library only."""
