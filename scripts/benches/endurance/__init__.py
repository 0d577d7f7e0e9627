"""Parts of the bench `endure`: what is queued, the server that it is queued on, and the long run itself."""
