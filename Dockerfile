# Two images from one file, because they travel differently: the broker is pulled
# to every node that runs an injected pod and should be as small as it can be; the
# webhook runs twice per cluster and carries Kubernetes' client.
#
#   docker build --target broker  -t podpass-broker .
#   docker build --target podpass -t podpass .
#
# The build stage runs on the machine's own platform and compiles for that of the image:
# --platform linux/arm64 needs no emulation; buildah wants --build-arg BUILDPLATFORM=linux/amd64
# with it. BUILDER can be pinned by digest:
# --build-arg BUILDER=golang@sha256:... `make release` passes all arguments, so that the
# same source makes the same images.
ARG BUILDER=golang:1.26-bookworm

FROM --platform=$BUILDPLATFORM ${BUILDER} AS build
WORKDIR /src
COPY go.mod go.sum Makefile LICENSE ./
COPY federation federation
COPY broker broker
COPY webhook webhook
COPY cmd cmd

# An argument counts for one stage. GOMODCACHE and GOCACHE are where Go keeps what it
# downloaded and compiled; an empty GOPROXY is Go's default.
FROM build AS build-broker
ARG TARGETOS TARGETARCH VERSION=dev COMMIT=unknown
ARG GOMODCACHE=/go/pkg/mod GOCACHE=/root/.cache/go-build GOPROXY
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOOS=${TARGETOS} GOARCH=${TARGETARCH} make image-broker VERSION=${VERSION} COMMIT=${COMMIT}

FROM build AS build-podpass
ARG TARGETOS TARGETARCH VERSION=dev COMMIT=unknown
ARG GOMODCACHE=/go/pkg/mod GOCACHE=/root/.cache/go-build GOPROXY
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOOS=${TARGETOS} GOARCH=${TARGETARCH} make image-podpass VERSION=${VERSION} COMMIT=${COMMIT}

# Scratch holds no shell, no package manager, and no CA certificates: these come
# from the build stage. 65532 is the customary non-root user. Modes are given, since
# those of a checkout depend on whose umask it was.
FROM scratch AS broker
ARG VERSION=dev COMMIT=unknown CREATED=1970-01-01T00:00:00Z SOURCE=https://github.com/podpass-io/podpass
LABEL org.opencontainers.image.title="podpass-broker" \
      org.opencontainers.image.description="The sidecar that gives a pod its cloud credentials" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build-broker --chmod=0644 /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build-broker --chmod=0644 /src/bin/NOTICES /licenses/NOTICES
COPY --from=build-broker --chmod=0644 /src/LICENSE /licenses/
COPY --from=build-broker /src/bin/podpass-broker /podpass-broker
USER 65532:65532
ENTRYPOINT ["/podpass-broker"]

FROM scratch AS podpass
ARG VERSION=dev COMMIT=unknown CREATED=1970-01-01T00:00:00Z SOURCE=https://github.com/podpass-io/podpass
LABEL org.opencontainers.image.title="podpass" \
      org.opencontainers.image.description="The webhook that gives pods cloud identities without static keys, and the command line podpass" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build-podpass --chmod=0644 /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build-podpass --chmod=0644 /src/bin/NOTICES /licenses/NOTICES
COPY --from=build-podpass --chmod=0644 /src/LICENSE /licenses/
COPY --from=build-podpass /src/bin/podpass-webhook /src/bin/podpass /
USER 65532:65532
ENTRYPOINT ["/podpass-webhook"]
