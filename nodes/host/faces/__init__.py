"""Face packs, identities and analyses in ComfyUI's folders."""
