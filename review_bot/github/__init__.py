"""GitHub and git at the edge: webhook, client, workspace, publication."""
