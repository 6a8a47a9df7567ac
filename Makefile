# podpass. `make help` lists the targets.
#
# On a Debian machine with Go, as root, `make demo` and `make test` install what
# else they need from Debian's packages and the module and npm registries.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
BIN     := bin

# Tools run by `go run module@version`: built once, kept in Go's build cache.
GOTESTSUM     := go run gotest.tools/gotestsum@v1.13.0
GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# -trimpath and no cgo: the same static binary from any checkout.
GO_BUILD := CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)'

# Test the packages of the root module; e2e is a step of its own below.
UNIT_PACKAGES = $$(go list ./... | grep -v /test/e2e)

# Where tests leave what people may want to look at: pictures of the HTML report.
export PODPASS_SCREENSHOTS ?= $(CURDIR)/bin/screenshots

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build the three binaries into bin/
	@mkdir -p $(BIN)
	$(GO_BUILD) -o $(BIN)/ ./cmd/...

.PHONY: demo
demo: packages ## Show the main job: a real Kubernetes, the chart, pods with credentials (KEEP=1 leaves it up)
	go run ./test/demo up $(if $(KEEP),--keep)

.PHONY: demo-down
demo-down: ## Remove what `make demo KEEP=1` left
	go run ./test/demo down

.PHONY: test
test: packages check unit fuzz integration e2e ## Run every test; prints what was left out and why
	@echo "make test: all steps passed"

.PHONY: check
check: ## Formatting, vet and go.mod, in every module
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	  if [ -n "$$unformatted" ]; then echo "not gofmt-clean: $$unformatted"; exit 1; fi
	go vet ./... && go mod tidy -diff
	cd test/sdk/go && go vet ./... && go mod tidy -diff
	cd test/admission && go vet ./... && go mod tidy -diff
	cd test/terraform && go vet ./... && go mod tidy -diff
	cd test/sarif && go vet ./... && go mod tidy -diff

.PHONY: unit
unit: ## Unit and conformance tests, with the race detector; real SDKs against the stand-ins
	$(GOTESTSUM) --format pkgname --format-hide-empty-pkg -- -race -timeout 15m -skip '^TestCluster' $(UNIT_PACKAGES)
	cd test/admission && go test -count=1 -timeout 15m . -rapid.checks=20000
	cd test/terraform && go test -count=1 .
	cd test/sarif && go test -count=1 .

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

.PHONY: integration
integration: ## Tests against a real API server
	PODPASS_TEST_CLUSTER=1 $(GOTESTSUM) --format testname -- -timeout 20m -p 1 -run Cluster ./test/cluster/... ./cmd/... ./webhook/... ./test/conformance/... ./test/attack/...

# Without the chaos, which needs both cores for ten minutes: `make chaos`.
.PHONY: e2e
e2e: ## Real pods on a real node, with the real SDKs
	@echo "left out: TestChaos, which runs by itself: make chaos"
	PODPASS_TEST_CLUSTER=1 $(GOTESTSUM) --format testname -- -timeout 25m -skip '^TestChaos$$' ./test/e2e/...

.PHONY: chaos
chaos: packages ## Kill, restore and spoil under 50 pods a second; on a machine that does nothing else
	PODPASS_TEST_CLUSTER=1 $(GOTESTSUM) --format testname -- -timeout 25m -count=1 -run '^TestChaos$$' ./test/e2e/...

.PHONY: bench
bench: ## Measure: admission, the broker's size, memory and latency, the start of pods
	PODPASS_TEST_CLUSTER=1 go test -run '^$$' -bench . -benchmem -timeout 30m -p 1 ./federation/... ./webhook/... ./broker/... ./test/bench/... ./test/e2e/...

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

.PHONY: packages
packages: ## Install the Debian packages that tests and demo need (root)
	@test/packages.sh

.PHONY: clean
clean: ## Remove bin/
	rm -rf $(BIN)
