"""The review-bot command, one module a command."""
