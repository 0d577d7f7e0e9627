"""Adapter files and CLIP vision files as ComfyUI reads them."""
