"""Renderers and the sandbox that runs them."""
