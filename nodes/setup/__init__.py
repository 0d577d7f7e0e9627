"""What is installed, and the offline world."""
