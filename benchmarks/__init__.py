"""Measurements of the bot against what a user would write in a shell. Not part of the package."""
