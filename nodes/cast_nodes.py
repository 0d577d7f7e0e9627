"""Cast Member and Apply Cast: who appears where, and the patch that makes it so."""

NODES: list = []
