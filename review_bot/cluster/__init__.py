"""The clusters of the operator: how to reach them, and how to ask them without changing anything."""
