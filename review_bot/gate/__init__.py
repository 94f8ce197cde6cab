"""Pure approval rules: owner files, commands, the decision."""
