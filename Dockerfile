# syntax=docker/dockerfile:1
# The tools that the bot drives, at the versions that its tests use.
FROM golang:1.26-bookworm AS tools
ENV CGO_ENABLED=0 GOBIN=/tools GOFLAGS=-trimpath
RUN go install github.com/open-policy-agent/opa@v1.22.0 \
 && go install sigs.k8s.io/kustomize/kustomize/v5@v5.7.1 \
 && go install helm.sh/helm/v4/cmd/helm@v4.1.4
# Builds many kustomizations in one process; used as long as it is made from the same kustomize.
WORKDIR /src/kustomize_batch
COPY review_bot/render/kustomize_batch .
RUN go build -ldflags='-s -w' -o /tools/kustomize-batch .
# Speaks the templates of delivery tools.
WORKDIR /src/gitops_words
COPY review_bot/render/gitops_words .
RUN go build -ldflags='-s -w' -o /tools/gitops-words .

FROM python:3.11-slim-bookworm AS package
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY review_bot ./review_bot
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt .

FROM python:3.11-slim-bookworm
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --no-install-recommends --yes bubblewrap git \
 && rm -rf /var/lib/apt/lists/*
COPY --from=tools /tools /usr/local/bin
COPY --from=package /venv /venv
# The root file system may be read-only: only these are written to.
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    XDG_CACHE_HOME=/var/cache/review-bot \
    REVIEW_BOT_STATE_DIR=/var/lib/review-bot
RUN install --directory --owner 10001 --group 10001 /var/cache/review-bot /var/lib/review-bot
USER 10001:10001
VOLUME ["/var/cache/review-bot", "/var/lib/review-bot", "/tmp"]
EXPOSE 8080
WORKDIR /work
ENTRYPOINT ["review-bot"]
CMD ["serve"]
