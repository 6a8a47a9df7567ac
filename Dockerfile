# Two images from one file, because they travel differently: the broker is pulled
# to every node that runs an injected pod and should be as small as it can be; the
# webhook runs twice per cluster and carries Kubernetes' client.
#
#   docker build --target broker  -t podpass-broker .
#   docker build --target podpass -t podpass .
#
# BUILDER can be pinned by digest: --build-arg BUILDER=golang@sha256:...
ARG BUILDER=golang:1.26-bookworm

FROM --platform=$BUILDPLATFORM ${BUILDER} AS build
ARG TARGETOS TARGETARCH VERSION=dev
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOOS=${TARGETOS} GOARCH=${TARGETARCH} make build VERSION=${VERSION}

# Scratch holds no shell, no package manager, and no CA certificates: these come
# from the build stage. 65532 is the customary non-root user.
FROM scratch AS broker
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/bin/podpass-broker /podpass-broker
USER 65532:65532
ENTRYPOINT ["/podpass-broker"]

FROM scratch AS podpass
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/bin/podpass-webhook /src/bin/podpass /
USER 65532:65532
ENTRYPOINT ["/podpass-webhook"]
