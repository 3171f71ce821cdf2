# The service with its model and ONNX Runtime: nothing is fetched at run time.
#   docker build -t duijie:0.1.0 .
# Works on x86_64 and aarch64. The engine compiles for about 10 minutes on 2 cores; needs BuildKit (Docker 23 or newer).

FROM rust:1.95.0-bookworm AS build
# pip brings ONNX Runtime, pinned and hash checked
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-pip \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY scripts scripts
RUN scripts/runtime.sh
COPY Cargo.toml Cargo.lock ./
COPY proto proto
COPY policies policies
COPY models models
COPY crates crates
COPY src src
# cargo wants to see the tests and benches that Cargo.toml names
COPY tests tests
COPY benches benches
# kept between builds, so that a change of ours does not compile the engine again
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin duijie \
    && cp target/release/duijie /build/duijie

FROM debian:12.11-slim
# libstdc++ for ONNX Runtime; certificates for a Qdrant behind https; the user owns the data and nothing else
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 duijie \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/duijie --shell /usr/sbin/nologin duijie \
    && install -d -o 10001 -g 10001 /var/lib/duijie
WORKDIR /opt/duijie
COPY models models
COPY policies policies
COPY samples samples
COPY --from=build /build/runtime/libonnxruntime.so runtime/libonnxruntime.so
COPY --from=build /build/duijie /usr/local/bin/duijie
ENV DUIJIE_SERVER_LISTEN=0.0.0.0:50051 \
    DUIJIE_STORE_FOLDER=/var/lib/duijie/store \
    DUIJIE_MODEL_SOURCE=/opt/duijie/models/e5-small-zh \
    DUIJIE_MODEL_RUNTIME=/opt/duijie/runtime/libonnxruntime.so \
    DUIJIE_MODEL_CACHE=/var/lib/duijie/hub
USER 10001:10001
VOLUME /var/lib/duijie
EXPOSE 50051
# the first start opens a store, which takes seconds for a million records
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 CMD ["duijie", "health"]
ENTRYPOINT ["duijie"]
CMD ["serve"]
