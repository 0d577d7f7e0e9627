"""Pictures for ControlNets: depth, circles, key points."""
