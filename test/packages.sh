#!/usr/bin/env bash
# Installs the Debian packages that the tests and the demo need, if something is
# missing and we are root; says what is missing otherwise.
set -euo pipefail

missing=()
need() { # need COMMAND-OR-FILE PACKAGE...
	local probe=$1
	shift
	if [[ $probe == /* ]]; then [[ -e $probe ]] || missing+=("$@"); else command -v "$probe" >/dev/null || missing+=("$@"); fi
}

PATH=$PATH:/usr/sbin:/sbin
need gcc gcc libc6-dev # the race detector
need containerd containerd
need runc runc
need iptables iptables
need ip iproute2
need /usr/lib/cni/bridge containernetworking-plugins
need npm npm # installs the JavaScript SDKs
need /usr/lib/python3/dist-packages/botocore python3-botocore # older SDKs, as Debian has them
need /usr/lib/python3/dist-packages/google/auth python3-google-auth python3-requests
need /usr/lib/python3/dist-packages/azure/identity python3-azure
need /usr/lib/python3/dist-packages/kubernetes python3-kubernetes
need /usr/bin/aws awscli
need az azure-cli
need shellcheck shellcheck # looks at the scripts that podpass trust renders
need /usr/share/java/google-auth-library-oauth2-http.jar libgoogle-auth-java
need /usr/bin/javac default-jdk-headless
need buildah buildah # the images
need /usr/bin/qemu-aarch64-static qemu-user-static # runs what the images for arm64 hold
need chromium chromium # the HTML report

# Prometheus is only unpacked: its package starts a server on this machine.
prometheus=
command -v prometheus >/dev/null && command -v promtool >/dev/null || prometheus=1

[[ ${#missing[@]} -eq 0 && -z $prometheus ]] && exit 0
if [[ $(id -u) -ne 0 ]]; then
	echo "missing packages, and not root: tests that need them will say so and be left out. To install them:" >&2
	echo "  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
	[[ -z $prometheus ]] || echo "  and prometheus and promtool of the package prometheus" >&2
	exit 0
fi
echo "installing Debian packages: ${missing[*]} ${prometheus:+prometheus}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
[[ ${#missing[@]} -eq 0 ]] || apt-get install -y -q --no-install-recommends "${missing[@]}"
if [[ -n $prometheus ]]; then
	unpacked=$(mktemp -d)
	trap 'rm -rf "$unpacked"' EXIT
	(cd "$unpacked" && apt-get download -q prometheus && dpkg-deb -x prometheus_*.deb .)
	install -m 755 "$unpacked"/usr/bin/{prometheus,promtool} /usr/local/bin/
fi
