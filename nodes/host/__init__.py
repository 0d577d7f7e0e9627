"""The only code of this pack that touches ComfyUI's internals."""
