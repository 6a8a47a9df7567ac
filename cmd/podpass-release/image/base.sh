#!/usr/bin/env bash
# Makes a base for the Dockerfile's build stage of what this machine has, for where no
# registry can be reached: Go, the CA certificates, and what make needs, with its
# libraries. Nothing of it but the certificates is in the images.
#
#   buildah's global flags are in $BUILDAH_FLAGS
#   base.sh NAME
set -euo pipefail
name=$1
read -ra flags <<<"${BUILDAH_FLAGS:-}"
b() { buildah "${flags[@]}" "$@"; }

container=$(b from scratch)
trap 'b rm "$container" >/dev/null' EXIT
root=$(b mount "$container")

mkdir -p "$root"/{bin,tmp,root,go,etc/ssl/certs}
chmod 1777 "$root/tmp"
for program in bash sh make mkdir cat; do
	path=$(command -v "$program")
	cp -L "$path" "$root/bin/"
	{ ldd "$path" || true; } | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$root$(dirname "$library")"
		cp -Ln "$library" "$root$library"
	done
done
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
goroot=$(go env GOROOT)
mkdir -p "$root/usr/local/go"
# Without its tests: half of it.
tar -C "$goroot" --exclude=./test --exclude=./api --exclude=./doc --exclude=testdata -c . | tar -C "$root/usr/local/go" -x
mkdir -p "$root/usr/bin" && ln -s /bin/bash "$root/usr/bin/bash"

b umount "$container" >/dev/null
b config --env PATH=/usr/local/go/bin:/bin --env GOPATH=/go --env GOTOOLCHAIN=local --env HOME=/root "$container"
b commit -q "$container" "$name" >/dev/null
