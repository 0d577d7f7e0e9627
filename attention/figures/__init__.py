"""Bodies, faces and depth drawn from regions, for ControlNets."""
