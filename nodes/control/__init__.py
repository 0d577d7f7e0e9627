"""ControlNets that know the people."""
