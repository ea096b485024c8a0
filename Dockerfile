# The image of Colloquy: the server, its workers and its other commands. docs/containers.md says how it is run.

FROM node:24-trixie-slim AS assets
WORKDIR /srv/colloquy
COPY scripts/node.sh scripts/
COPY schema.graphql ./
COPY web web
RUN --mount=type=cache,target=/root/.npm sh web/build.sh

FROM python:3.13-slim-trixie AS packages
WORKDIR /srv/colloquy
ENV UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never
# The lock of the tools is the one place that says which uv, with its digests.
COPY requirements.lock ./
RUN sed -n '/^uv==/,/[^\\]$/p' requirements.lock > /tmp/uv.lock \
    && pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --require-hashes -r /tmp/uv.lock
COPY requirements-server.lock ./
RUN --mount=type=cache,target=/root/.cache/uv uv venv /opt/venv \
    && uv pip sync --python /opt/venv --compile-bytecode --require-hashes requirements-server.lock
COPY pyproject.toml README.md alembic.ini ./
COPY app app
COPY migrations migrations
# Offline: uv builds the package by itself, and nothing that no lock names can come in. Installed as in a clone, for the
# server looks for migrations and assets beside its folder. The system is read only later: what compiles, does it now.
RUN uv pip install --python /opt/venv --offline --no-deps --editable . \
    && /opt/venv/bin/python -m compileall -q app migrations

FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="Colloquy" \
      org.opencontainers.image.description="A GraphQL server that keeps the conversations of people and language models"
RUN groupadd --system --gid 10001 colloquy \
    && useradd --system --uid 10001 --gid colloquy --no-create-home --home-dir /tmp --shell /usr/sbin/nologin colloquy
COPY --from=packages /opt/venv /opt/venv
COPY --from=packages /srv/colloquy /srv/colloquy
COPY --from=assets /srv/colloquy/web/dist /srv/colloquy/web/dist
WORKDIR /srv/colloquy
# Nobody but who publishes the port reaches a container; with authentication off the server would refuse this address.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    COLLOQUY_HOST=0.0.0.0 \
    COLLOQUY_PORT=8000 \
    COLLOQUY_AUTH=on
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s --retries=3 \
    CMD ["python", "-c", "\
import os, urllib.request as r; \
r.urlopen('http://127.0.0.1:' + os.environ['COLLOQUY_PORT'] + '/health/ready', timeout=4)"]
ENTRYPOINT ["colloquy"]
CMD ["serve"]
