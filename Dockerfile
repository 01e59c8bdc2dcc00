# One image for all four programs; compose.yaml says which of them a container runs.
FROM node:24-slim AS page
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --omit=dev --no-audit --no-fund

FROM python:3.13-slim
ENV PYTHONUNBUFFERED=1 MALLOC_ARENA_MAX=2
WORKDIR /app
COPY locks/run.txt locks/run.txt
RUN pip install --no-cache-dir --require-hashes -r locks/run.txt
COPY pyproject.toml README.md ./
COPY api api
COPY workers workers
COPY shared shared
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e .
COPY --from=page /app/node_modules node_modules
RUN useradd --system --no-create-home holdfast && install -d -m 700 -o holdfast var
USER holdfast
EXPOSE 8000 8001
CMD ["python", "-m", "api.web"]
