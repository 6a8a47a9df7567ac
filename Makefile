# podpass. `make help` lists the targets.
#
# On a Debian machine with Go, as root, `make demo` and `make test` install what
# else they need from Debian's packages and the module and npm registries.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null)
NAMED   := github.com/podpass-io/podpass/cmd/internal/version
LDFLAGS := -s -w -X $(NAMED).number=$(VERSION) -X $(NAMED).commit=$(COMMIT)
BIN     := bin
PROGRAMS := ./cmd/...

# Tools run by `go run module@version`: built once, kept in Go's build cache.
# Helm is what the tests of the chart built, or is built as they do.
HELM          ?= $(or $(wildcard $(HOME)/.cache/podpass/tools/helm-v4.3.1/helm),go run helm.sh/helm/v4/cmd/helm@v4.3.1)
GOTESTSUM     := go run gotest.tools/gotestsum@v1.13.0
GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# Whatever is compiled here is compiled in one way, that of the programs: with cgo or without
# -trimpath, Go compiles all that is below podpass a second time, 680 packages. The race
# detector alone needs cgo.
export CGO_ENABLED := 0
export GOFLAGS     := $(strip $(filter-out -trimpath,$(GOFLAGS)) -trimpath)

# Static, and without a stamp of the checkout: the same binary from any of them.
GO_BUILD := go build -buildvcs=false -ldflags '$(LDFLAGS)'
GO_DEMO  := go run ./test/demo

# What makes releases, a module of its own.
RELEASE := GOOS= GOARCH= go run -C cmd/podpass-release .
NOTICES  = platform=$$(go env GOOS)/$$(go env GOARCH); $(RELEASE) notices -platform $$platform -out $(abspath $(BIN))/NOTICES $(PROGRAMS)

# Test the packages of the root module; e2e is a step of its own below.
UNIT_PACKAGES = $$(go list ./... | grep -v /test/e2e)

# Where tests leave what people may want to look at: pictures of the HTML report and the dashboard.
export PODPASS_SCREENSHOTS ?= $(CURDIR)/bin/screenshots

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[A-Za-z0-9._-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build the three binaries into bin/
	@mkdir -p $(BIN)
	$(GO_BUILD) -o $(BIN)/ $(PROGRAMS)

# What an image holds, for the Dockerfile's build stage: programs for its platform, and
# what the licenses of the code in them ask to be passed on.
.PHONY: image-broker
image-broker: PROGRAMS = ./cmd/podpass-broker
image-broker: build ## Build what the broker's image holds into bin/
	$(NOTICES)

.PHONY: image-podpass
image-podpass: PROGRAMS = ./cmd/podpass ./cmd/podpass-webhook
image-podpass: build ## Build what the webhook's image holds into bin/
	$(NOTICES)

.PHONY: demo
demo: packages ## Show the main job: a real Kubernetes, the chart, pods with credentials (KEEP=1 leaves it up)
	$(GO_DEMO) up $(if $(KEEP),--keep)

.PHONY: demo-down
demo-down: ## Remove what `make demo KEEP=1` left
	$(GO_DEMO) down

# Two steps at a time, in this order: e2e and integration wait most of the time, the others
# compute. Lines begin with the step's name. On a machine of one core: make test STEPS_AT_ONCE=1
STEPS         := e2e unit fuzz integration people release-test lint vulncheck
STEPS_AT_ONCE ?= 2
# These give way: a pod has a hundredth of the share of the CPU that a compiler has, and an
# SDK in it gives up a connection after ten seconds.
GIVE_WAY      := unit fuzz lint vulncheck release-test

.PHONY: test
test: packages check chart-lint ## Run every test; prints what was left out and why
	@$(MAKE) --no-print-directory -j$(STEPS_AT_ONCE) $(STEPS:%=step-%)
	@$(MAKE) --no-print-directory step-attack
	@echo "make test: all steps passed"

.PHONY: $(STEPS:%=step-%) step-attack
$(STEPS:%=step-%) step-attack: step-%:
	@start=$$SECONDS; { $(if $(filter $*,$(GIVE_WAY)),nice -n 15) $(MAKE) --no-print-directory $* && echo "took $$((SECONDS - start)) s"; } 2>&1 | sed -u 's/^/$*: /'

.PHONY: check
check: ## Formatting, vet and go.mod, in every module
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	  if [ -n "$$unformatted" ]; then echo "not gofmt-clean: $$unformatted"; exit 1; fi
	go vet ./... && go mod tidy -diff
	cd test/sdk/go && go vet ./... && go mod tidy -diff
	cd test/admission && go vet ./... && go mod tidy -diff
	cd test/terraform && go vet ./... && go mod tidy -diff
	cd test/mistakes && go vet ./... && go mod tidy -diff
	cd test/grafana && go vet ./... && go mod tidy -diff
	cd cmd/podpass-release && go vet ./... && go mod tidy -diff
	cd test/sarif && go vet ./... && go mod tidy -diff
	cd test/people && go vet ./... && go mod tidy -diff
	cd test/people/kubelogin && go mod tidy -diff
	cd test/clusters/argocd && go vet ./... && go mod tidy -diff
	cd test/clusters/flux && go vet ./... && go mod tidy -diff

.PHONY: unit
unit: ## Unit and conformance tests, with the race detector; real SDKs against the stand-ins
	$(subst go run,go run -exec 'env CGO_ENABLED=1',$(GOTESTSUM)) --format pkgname --format-hide-empty-pkg -- -race -timeout 15m -skip '^TestCluster' $(UNIT_PACKAGES)
	cd test/admission && go test -count=1 -timeout 15m . -rapid.checks=20000
	cd test/terraform && go test -count=1 .
	cd test/mistakes && go test -count=1 -timeout 15m -skip '^TestCluster' . -rapid.checks=1000 -rapid.seed=1 # a campaign: -rapid.checks=20000 without a seed
	cd test/grafana && go test -count=1 .
	cd test/sarif && go test -count=1 .
	cd test/people && go test -count=1 -skip '^TestCluster' .

# Each target by itself: go test fuzzes one at a time. FUZZTIME is a number of
# executions, not a duration: when a duration is over, go test now and then reports
# the target that it interrupts as failed ("context deadline exceeded").
# Those that start from the worst pods take tens of milliseconds each.
FUZZTIME ?= 4000x
RAPID_CHECKS ?= 1000

.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME executions (a campaign: FUZZTIME=1000000x RAPID_CHECKS=100000)
	@grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do \
	  for target in $$(sed -n 's/^func \(Fuzz[A-Za-z]*\).*/\1/p' "$$file"); do \
	    echo "fuzz: $$(dirname "$$file") $$target"; \
	    go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1000x "$$(dirname "$$file")" | grep -v '^fuzz: elapsed'; \
	  done; \
	done
	go test -run 'TestPlan' ./webhook/inject -rapid.checks=$(RAPID_CHECKS)

# Those that have such tests: the others would be linked to run none.
CLUSTER_PACKAGES = $$(grep -rl --include='*_test.go' '^func TestCluster' broker cmd federation test webhook | xargs dirname | sort -u | grep -vx 'test/attack\|test/cluster\|test/mistakes\|test/people' | sed 's|^|./|')

# Two API servers at a time, each with a package's tests, which wait more than they compute.
.PHONY: integration
integration: ## Tests against a real API server
	PODPASS_TEST_CLUSTER=1 $(GOTESTSUM) --format testname -- -timeout 20m -p 2 -run '^TestCluster' $(CLUSTER_PACKAGES)
	cd test/mistakes && PODPASS_TEST_CLUSTER=1 go test -count=1 -timeout 15m -run '^TestCluster' .

.PHONY: people
people: ## docs/people.md from top to bottom: a certified provider, kubelogin, a browser, a real API server
	cd test/people && PODPASS_TEST_CLUSTER=1 go test -count=1 -timeout 25m -run '^TestCluster' .

.PHONY: attack
attack: ## What attackers may cost others, in seconds: on a machine that does nothing else
	PODPASS_TEST_CLUSTER=1 $(GOTESTSUM) --format testname -- -timeout 20m -run '^TestCluster' ./test/attack

# With the tests of the cluster itself, since a machine has one node at a time: the rules of
# a second kube-proxy would take the place of the first one's. Without the chaos, which needs
# both cores for ten minutes: `make chaos`.
.PHONY: e2e
e2e: ## Real pods on a real node, with the real SDKs
	@echo "left out: TestChaos, which runs by itself: make chaos"
	PODPASS_TEST_CLUSTER=1 $(GOTESTSUM) --format testname -- -timeout 25m -p 1 -skip '^TestChaos$$' ./test/cluster/... ./test/e2e/...

.PHONY: chaos
chaos: packages ## Kill, restore and spoil under 50 pods a second; on a machine that does nothing else
	PODPASS_TEST_CLUSTER=1 $(GOTESTSUM) --format testname -- -timeout 25m -count=1 -run '^TestChaos$$' ./test/e2e/...

.PHONY: bench
bench: ## Measure: admission, policies, the broker's size, memory and latency, a scan for static keys, the start of pods
	PODPASS_TEST_CLUSTER=1 go test -run '^$$' -bench . -benchmem -timeout 30m -p 1 ./federation/... ./webhook/... ./broker/... ./test/policies/... ./test/bench/... ./test/e2e/...

# What `make mutate` tries: SEED draws the mutants, MUTANTS of each package (0: all).
SEED    ?= 1
MUTANTS ?= 40
MUTATED ?= ./federation/... ./webhook/... ./broker/...

.PHONY: mutate
mutate: ## Change one thing at a time: do tests notice? (SEED=1 MUTANTS=40 MUTATED=./broker/...)
	go run ./test/mutate -seed $(SEED) -n $(MUTANTS) $(MUTATED)

.PHONY: lint
lint: ## golangci-lint with the repository's list
	$(GOLANGCI_LINT) run ./...
	cd cmd/podpass-release && $(GOLANGCI_LINT) run ./...

.PHONY: chart-lint
chart-lint: ## helm lint, strict
	$(HELM) lint --strict charts/podpass

# Go's vulnerability database is a Go module as well, so the proxy that serves every
# other dependency serves it. One version of it is pinned: what passed yesterday passes
# today, and whoever makes a release asks the newest, by VULNDB=latest.
VULNDB ?= v0.0.0-20261105234957-e22db6528018

# Releases are made by this Go, whichever the machine has: Go fetches it as the module that it
# is, and checks its sum. Raise it when STRICT=1 finds something of Go's own library.
RELEASE_GO ?= go1.26.11

# What Go's own library has is for whoever builds: it is mended by a newer Go, and not by a
# change here. It is shown; STRICT=1 asks of the Go of releases, and fails.
#
# govulncheck is built and then run, since `go run` answers 1 for whatever a program
# answered, and 3 is what tells findings from a scan that failed.
.PHONY: vulncheck
ifneq ($(STRICT),)
vulncheck: export GOTOOLCHAIN := $(RELEASE_GO)
endif
vulncheck: ## Known vulnerabilities in what is linked and called (VULNDB=latest: those of today; STRICT=1: as releases are built)
	@GOBIN=$(abspath $(BIN))/tools go install golang.org/x/vuln/cmd/govulncheck@v1.9.0
	@info=$$(go mod download -json golang.org/x/vulndb@$(VULNDB)) || { echo "vulncheck: the database cannot be had, so nothing was checked: $$info"; exit 1; }; \
	  db=$$(sed -n 's/^.*"Dir": "\(.*\)",*$$/\1/p' <<<"$$info"); \
	  echo "govulncheck with golang.org/x/vulndb $$(sed -n 's/^.*"Version": "\(.*\)",*$$/\1/p' <<<"$$info")"; \
	  found=$$($(BIN)/tools/govulncheck -db "file://$$db/data/osv" ./cmd/...) && status=0 || status=$$?; \
	  echo "$$found"; \
	  if [ $$status -eq 3 ] && [ -z "$(STRICT)" ] && ! grep -q '^  Module:' <<<"$$found"; then \
	    echo "vulncheck: all of these are of the library of $$(go env GOVERSION): build releases with a newer Go"; exit 0; \
	  fi; \
	  exit $$status

# Its own step, since it links each program several times.
.PHONY: release-test
release-test: ## Make a release twice, and look into the images
	PODPASS_TEST_RELEASE=1 go test -C cmd/podpass-release -count=1 -timeout 30m ./...

# Where dist/ is made of nothing that was built before, and says what it took.
REGISTRY ?=
BUILDER  ?=
SOURCE   ?= https://github.com/podpass-io/podpass
IMAGES    ?= linux/amd64,linux/arm64
PLATFORMS ?= linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

.PHONY: release
release: export GOTOOLCHAIN := $(RELEASE_GO)
release: ## Make all that is published into dist/ (VERSION=1.2.3 REGISTRY=registry.example.com/podpass)
	@HELM="$(HELM)" $(RELEASE) all -version "$(if $(filter command line environment,$(origin VERSION)),$(VERSION))" -commit "$(COMMIT)" \
	  -epoch $(SOURCE_DATE_EPOCH) -registry "$(REGISTRY)" -source "$(SOURCE)" -builder "$(BUILDER)" -programs "$(PLATFORMS)" -images "$(IMAGES)" -out "$(CURDIR)/dist"

.PHONY: packages
packages: ## Install the Debian packages that tests and demo need (root)
	@test/packages.sh

.PHONY: clean
clean: ## Remove bin/ and dist/
	rm -rf $(BIN) dist
