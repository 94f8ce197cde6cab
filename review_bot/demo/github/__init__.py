"""A stand-in for GitHub on this machine: REST API, git over HTTP, webhooks and pages, for the demo and the tests."""
