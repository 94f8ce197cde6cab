"""The review of two git trees, from plan to verdict."""
