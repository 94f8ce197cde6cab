"""Checks of rendered changes: schema and policy."""
