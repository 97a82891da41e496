# docker build -t mipha-eval .
# docker run --rm mipha-eval run --tasks all
# docker run --rm --gpus all -v "$PWD:/work" -v mipha-eval-cache:/cache mipha-eval run --tasks pope --model mipha-3b
FROM python:3.12-slim-bookworm AS wheel
WORKDIR /source
COPY . .
ENV PIP_CONSTRAINT=/source/requirements.lock PIP_BUILD_CONSTRAINT=/source/requirements.lock
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /dist .

FROM python:3.12-slim-bookworm
# Java runs COCO's tokenizer and METEOR; its version is Debian's, since older ones leave the archive
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends default-jre-headless \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.lock /dist/requirements.lock
ENV PIP_CONSTRAINT=/dist/requirements.lock PIP_BUILD_CONSTRAINT=/dist/requirements.lock
RUN --mount=type=bind,from=wheel,source=/dist,target=/wheels pip install --no-cache-dir /wheels/*.whl
# whoever the container runs as (--user) may write here: runs in /work, what is downloaded or drawn in /cache
RUN mkdir --mode=1777 /work /cache && useradd --uid 1000 --create-home evaluator
ENV HF_HOME=/cache/huggingface MIPHA_EVAL_CACHE=/cache/mipha-eval MPLCONFIGDIR=/cache/matplotlib
USER 1000
WORKDIR /work
ENTRYPOINT ["mipha-eval"]
CMD ["--help"]
