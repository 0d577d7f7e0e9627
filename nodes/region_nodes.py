"""Draw Regions: where people stand, as text for now."""

NODES: list = []
