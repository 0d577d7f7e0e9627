"""Runs a workflow on a running ComfyUI and draws what came out. Needs the environment that the bootstrap makes."""
