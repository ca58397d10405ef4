# Targets for people who build, test and measure ddx. Everything that the
# product itself needs is Go: "go build ./cmd/ddx" is the whole build.
GO ?= go
STATICCHECK = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
# The pure cores: no I/O, so the race detector has no excuse.
CORES = . ./catalog ./match ./diagnose ./flowsum ./flowpattern ./kernlog ./logline ./scan ./remedy ./output ./controlplane

.PHONY: build setup test check race fuzz vet bench-scan bench-log bench-lab bench-flows bench-packets docs clean

build: ## one static binary, bin/ddx
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/ddx ./cmd/ddx

setup: ## list, then install, the Debian packages that tests use (root)
	sh scripts/setup

test: ## all tests; changes nothing outside of this checkout
	sh scripts/test

check: vet race fuzz build ## what CI runs beside the tests

vet: ## formatting, vet and staticcheck
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'gofmt would change these files'; exit 1; }
	$(GO) vet ./...
	$(STATICCHECK) ./...

race: ## the race detector on the pure cores, hosts side by side and the enactors
	$(GO) test -race -timeout 15m $(CORES)
	$(GO) test -race -timeout 15m ./lab -run 'Explore|StateSet|Symmetry|CheckDefault'
	$(GO) test -race -timeout 15m ./cmd/ddx -run TestDiagnoseAll
	$(GO) test -race -timeout 15m -short ./aws ./failover -run 'Outcomes|Settles|InSync|Enact|Daemon|Quorum|Votes'

fuzz: ## every fuzz target for FUZZTIME (default 10s)
	sh scripts/fuzz $${FUZZTIME:-10s}

bench-scan: ## the scanner against ripgrep, interleaved, CPU ratios
	$(GO) test ./scan -run '^$$' -bench Ripgrep -benchtime 1x -mb $${MB:-256} -rounds $${ROUNDS:-5} -v

bench-log: build ## whole diagnoses of logs of 1 GB
	$(GO) test ./scan -run '^$$' -bench Diagnose -benchtime 1x -mb $${MB:-1024} -rounds $${ROUNDS:-3} -bench-ddx $(CURDIR)/bin/ddx -v

bench-lab: ## the explorer against Spin, interleaved, CPU ratios
	$(GO) test ./lab -run '^$$' -bench 'AgainstSpin|Shipped' -benchtime 1x

bench-flows: ## flow logs against DuckDB and mawk, interleaved, CPU ratios (cgo, a module of its own)
	cd bench/flows && $(GO) run . -rows $${ROWS:-5000000}

bench-packets: build ## captures against tcpdump and tshark, interleaved, CPU ratios
	$(GO) test ./packet -run '^TestBenchPackets$$' -v -bench-packets $${MB:-1024} -bench-ddx $(CURDIR)/bin/ddx

docs: ## regenerate docs/facts.md and docs/sources.md
	$(GO) run ./cmd/ddx catalog docs docs

clean:
	rm -rf bin
