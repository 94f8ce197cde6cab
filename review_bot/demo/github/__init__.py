"""A stand-in for GitHub on this machine: REST API, git over HTTP, webhooks and pages, for the demo and the tests.

    async with StandIn(folder) as github:
        github.add_user("alice")
        github.add_repository("org/config", source, collaborators={"alice": "write"}, protection=Protection(...))
        github.install(["org/config"])
        github.webhook_url = "http://127.0.0.1:8080/webhook"

`setup` and `acts` are what Python may do; everything else goes over HTTP as on GitHub. An endpoint is a function in the
`routes_*` module of its area with one decorator that names its path and who may call it; `render*` write GitHub's JSON;
`pulls` and `hub` hold what follows from what (heads that move, events that are sent); `page*` are what people see.
`tests/github_models.py` holds every request and answer against GitHub's published models.
"""
