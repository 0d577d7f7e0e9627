"""What the bench `world` measures the offline world with: unseen people, pictures through the host, what they show."""
