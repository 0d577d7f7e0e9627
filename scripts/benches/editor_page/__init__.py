"""What is measured in the editor's page, in a headless Chromium on a real ComfyUI."""
