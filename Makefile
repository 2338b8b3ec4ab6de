# Koipond 锦池. `make run` tries it, `make test` proves it, `make help` lists the rest.
SHELL := /bin/bash
GO    ?= go
DEMO  ?= 1
PORT  ?= 8787
DATA  ?= data
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

.PHONY: help run build console test check bench fmt gen shots clean prereq test-go test-web test-browser

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

prereq: ## check that Go, a C compiler and Node are here
	@scripts/prereq

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci --no-fund --no-audit --loglevel=error
	@touch $@

web/dist/index.html: web/node_modules/.package-lock.json $(shell find web/src web/public web/index.html web/vite.config.ts -type f 2>/dev/null)
	cd web && npm run --silent build

console: web/dist/index.html ## build the web console

build: prereq console ## build bin/koipond with the console inside
	CGO_ENABLED=1 $(GO) build -tags console -trimpath -ldflags '$(LDFLAGS)' -o bin/koipond ./cmd/koipond

run: build ## build and start: the demo pond, or an empty one with DEMO=0
ifeq ($(DEMO),0)
	bin/koipond serve --data $(DATA)/pond --listen 127.0.0.1:$(PORT)
else
	bin/koipond demo --data $(DATA)/demo --listen 127.0.0.1:$(PORT)
endif

test: prereq ## run every test: Go on SQLite and PostgreSQL, console, browser
	scripts/test

test-go: ## run the Go tests alone (PostgreSQL when it is installed)
	scripts/with-postgres $(GO) test ./...

test-web: web/node_modules/.package-lock.json ## run the console's unit tests alone
	cd web && npm test --silent

test-browser: build ## run the browser tests alone
	scripts/browser-test

check: prereq web/node_modules/.package-lock.json ## format, vet, lint, generated code, types, both languages, dependency rules
	scripts/check

gen: ## write the API document and the console's types from the Go code
	$(GO) run ./cmd/koipond openapi > api/openapi.json
	cd web && npm run --silent gen:api

bench: build ## measure, as ratios against a yardstick in the same run
	scripts/bench

shots: build ## take the handbook's screenshots
	scripts/shots

fmt: ## format everything
	gofmt -w $$(git ls-files '*.go')

clean: ## remove what builds made (never data)
	rm -rf bin web/dist web/node_modules
