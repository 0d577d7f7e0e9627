"""Score Cast's glue: pictures and words as ComfyUI's CLIP models see them, and latents picked out of a batch."""
