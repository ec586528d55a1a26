"""Training of Sketch, the miniature picture and motion model that is bundled with Safelight."""
