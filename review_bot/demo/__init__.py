"""The GitHub stand-in and the sample repository."""
