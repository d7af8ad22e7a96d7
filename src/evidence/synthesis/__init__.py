"""From several studies to one picture: what a forest, a network or a specification curve shows, as numbers."""
