"""From several studies to one picture: what a forest, network or specification curve shows, as numbers."""
