"""Pages as people see them: lists of pull requests, a pull request, a file. Server-rendered, nothing from elsewhere."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from urllib.parse import quote

from aiohttp import web

from review_bot.demo.github import page_conversation, page_diff, page_parts
from review_bot.demo.github.hub import Hub
from review_bot.demo.github.page_parts import ago, icon, link
from review_bot.demo.github.protection import merge_box
from review_bot.demo.github.state import Pull, Repository

# Nothing that a comment smuggles in could run or be fetched, even if it got past the renderer.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class Pages:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def add_to(self, router: web.UrlDispatcher) -> None:
        here = "/{owner:[^/]+}/{repo:[^/]+}"
        router.add_get("/", self.index)
        router.add_get("/favicon.ico", self.no_icon)
        router.add_get(f"{here}/pulls", self.pulls)
        for rest in ("", "/files", "/commits", "/checks"):
            router.add_get(f"{here}/pull/{{number:[0-9]+}}{rest}", self.pull)
        router.add_get(f"{here}/runs/{{run:[0-9]+}}", self.run)
        router.add_get(f"{here}/blob/{{revision:[^/]+}}/{{path:.+}}", self.blob)
        router.add_get(f"{here}/commit/{{revision:[0-9a-f]+}}", self.commit)

    async def index(self, request: web.Request) -> web.StreamResponse:
        if "json" in request.headers.get("Accept", ""):
            return web.json_response({"current_user_url": f"{self._hub.world.api_url}/user"})
        rows = []
        for repository in self._hub.world.repositories.values():
            count = sum(1 for p in repository.pulls.values() if p.state == "open")
            name = link(f"/{repository.full_name}/pulls", repository.full_name, "title")
            rows.append(f'<div class="row"><div class="what">{name}</div><span class="small">{count} open</span></div>')
        return _page("Repositories", "", f'<h1>Repositories</h1><div class="card">{"".join(rows)}</div>')

    async def no_icon(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=204)

    def _repository(self, request: web.Request) -> Repository:
        found = self._hub.world.repository(request.match_info["owner"], request.match_info["repo"])
        if found is None:
            raise web.HTTPNotFound
        return found

    async def pulls(self, request: web.Request) -> web.StreamResponse:
        repository = self._repository(request)
        wanted = request.query.get("state", "open")
        found = [p for p in repository.pulls.values() if wanted in ("all", p.state)]
        rows = [await self._row(repository, pull) for pull in sorted(found, key=lambda p: -p.number)]
        tabs = "".join(link(f"?state={s}", s.title(), "here" if s == wanted else "") for s in ("open", "closed", "all"))
        content = f'<h1>Pull requests</h1><nav class="tabs">{tabs}</nav><div class="card">'
        content += "".join(rows) or '<p class="empty">There is no pull request here.</p>'
        return _page(f"Pull requests · {repository.full_name}", _crumbs(repository), content + "</div>")

    async def _row(self, repository: Repository, pull: Pull) -> str:
        await self._hub.settle(repository, pull)
        checks = page_parts.latest_runs(repository, pull.head_sha)
        talk = f"{len(pull.comments)} comment{'' if len(pull.comments) == 1 else 's'}"
        marks = " ".join(icon(r.status, r.conclusion, r.name) for r in checks)
        box = merge_box(self._hub.world, repository, pull)
        labels = "".join(f'<span class="tag">{escape(one.name)}</span>' for one in pull.labels)
        state = page_parts.state_of(pull)
        note = "" if pull.state == "closed" else f" · {page_conversation.STATES.get(box.state, box.state)}"
        title = link(f"/{repository.full_name}/pull/{pull.number}", pull.title, "title")
        return (
            f'<div class="row"><span class="badge {state}">{state.title()}</span><div class="what">{title}{labels}'
            f'<div class="small">#{pull.number} by {escape(pull.user.login)} · {ago(pull.created_at)}{note}</div></div>'
            f'<span class="marks">{marks}</span><span class="small">{talk}</span></div>'
        )

    async def pull(self, request: web.Request) -> web.StreamResponse:
        repository = self._repository(request)
        pull = repository.pulls.get(int(request.match_info["number"]))
        if pull is None:
            raise web.HTTPNotFound
        figures = await self._hub.settle(repository, pull)
        start = figures.merge_base if figures else None
        changed = await repository.diffs.between(start, pull.head_sha) if start else []
        commits = await repository.git.log(f"{start}..{pull.head_sha}") if start else []
        box = merge_box(self._hub.world, repository, pull)
        runs = page_parts.latest_runs(repository, pull.head_sha)
        people = page_conversation.sidebar(self._hub.world, repository, pull)
        talk = page_conversation.conversation(self._hub.world, repository, pull, list(reversed(commits)))
        merge = page_conversation.merge_card(repository, pull, box)
        counts = (len(commits), len(runs), len(changed))
        content = page_parts.heading(pull, counts)
        content += f'<div class="columns"><div id="conversation">{talk}{merge}</div><aside>{people}</aside></div>'
        content += page_parts.commit_list(self._hub.world, repository, list(reversed(commits)))
        content += page_parts.check_list(runs)
        content += page_diff.file_list(repository, pull, changed, runs)
        return _page(f"{pull.title} · #{pull.number}", _crumbs(repository), content)

    async def run(self, request: web.Request) -> web.StreamResponse:
        """A check run is shown on the pull request of its head."""
        repository = self._repository(request)
        run = repository.checks.get(int(request.match_info["run"]))
        pulls = [p for p in repository.pulls.values() if run and p.head_sha == run.head_sha]
        if run is None or not pulls:
            raise web.HTTPNotFound
        raise web.HTTPFound(f"/{repository.full_name}/pull/{pulls[-1].number}#run-{run.id}")

    async def blob(self, request: web.Request) -> web.StreamResponse:
        repository, path = self._repository(request), request.match_info["path"]
        sha = await repository.git.resolve(request.match_info["revision"])
        content = await repository.git.read(sha, path) if sha else None
        if sha is None or content is None:
            raise web.HTTPNotFound
        shown = page_diff.whole_file(path, sha, content.decode(errors="replace"))
        return _page(f"{path} at {sha[:7]}", _crumbs(repository), shown)

    async def other(self, request: web.Request) -> web.StreamResponse:
        """Where mentions lead: a person, an organisation, a team; a repository's name leads to its pull requests."""
        name = request.path.strip("/")
        world = self._hub.world
        if name.lower() in world.repositories:
            raise web.HTTPFound(f"/{quote(name)}/pulls")
        account, team = world.account(name), world.teams.get(name.lower())
        if account is None and team is None:
            return _page("Not found", "", "<h1>There is nothing here</h1>", status=404)
        members = list(team.members if team else account.members if account else ())
        rows = "".join(f'<div class="row">{link(f"/{login}", login)}</div>' for login in members)
        title = f"{name} ({'team' if team else account.kind.lower() if account else ''})"
        card = f'<div class="card">{rows}</div>' if rows else ""
        return _page(title, "", f"<h1>{escape(title)}</h1>{card}")

    async def commit(self, request: web.Request) -> web.StreamResponse:
        repository = self._repository(request)
        sha = await repository.git.resolve(request.match_info["revision"])
        if sha is None:
            raise web.HTTPNotFound
        found = await repository.git.commit(sha)
        changed = await repository.diffs.between(found.parents[0], sha) if found.parents else []
        content = page_parts.commit_list(self._hub.world, repository, [found])
        content += page_diff.file_list(repository, None, changed, [])
        return _page(f"Commit {sha[:7]}", _crumbs(repository), content)


def _crumbs(repository: Repository) -> str:
    return f" / {link(f'/{quote(repository.full_name)}/pulls', repository.full_name)}"


@cache
def _resource(name: str) -> str:
    return (files("review_bot.demo.github") / name).read_text("utf-8")


def _page(title: str, crumbs: str, content: str, *, status: int = 200) -> web.Response:
    text = Template(_resource("page.html")).substitute(
        title=escape(title), style=_resource("page.css"), crumbs=crumbs, content=content
    )
    headers = {"Content-Security-Policy": _POLICY}
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)
