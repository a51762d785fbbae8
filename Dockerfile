# An image of the service. It needs a database: set DATABASE_URL, or use compose.yaml. See docs/installing.md.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked && cp target/release/sitelog /sitelog

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/sitelog --shell /usr/sbin/nologin sitelog \
    && install -d -o sitelog -g sitelog -m 0700 /var/lib/sitelog
COPY --from=build /sitelog /usr/bin/sitelog
USER sitelog
WORKDIR /var/lib/sitelog
VOLUME /var/lib/sitelog
ENV SITELOG_DATA_DIR=/var/lib/sitelog SITELOG_BIND=0.0.0.0:8080
EXPOSE 8080
# The read models are built and the database answers; without another program in the image.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["/usr/bin/sitelog"]
CMD ["serve", "--first-key-file", "/var/lib/sitelog/first-key"]
