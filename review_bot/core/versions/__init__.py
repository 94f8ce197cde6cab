"""What versions a change moves: images, charts, sources, definitions."""
