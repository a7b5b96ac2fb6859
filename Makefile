# Every command of the project. `make` alone lists them.

SWIFT ?= swift
PROGRAMS = .build/debug
SOURCES = Sources Tests Chapters Package.swift

.PHONY: help setup build tour test text check-text format lint sanitize clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing; says nothing when nothing is
	@SWIFT='$(SWIFT)' Scripts/setup

build: setup ## build everything: engine, chapters, tools, tests
	@$(SWIFT) build --build-tests

tour: setup ## run every chapter's examples in order and compare with what the tutorial shows
	@$(SWIFT) build
	@$(PROGRAMS)/tour --programs $(PROGRAMS)

test: setup ## run every test suite
	@$(SWIFT) test --disable-swift-testing

text: setup ## cut the tutorial's code and output anew from the sources
	@$(SWIFT) run --quiet tour text

check-text: setup ## fail if the tutorial's code, output or links are out of date
	@$(SWIFT) run --quiet tour text --check

format: setup ## format all Swift code
	@$(SWIFT) format --in-place --parallel --recursive $(SOURCES)

lint: setup ## check the format, the documentation comments and the rules of the house
	@$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)
	@Scripts/check-rules

sanitize: setup ## run the test suites under the address sanitizer, then the thread sanitizer
	@$(SWIFT) test --disable-swift-testing --sanitize=address --scratch-path .build-asan
	@$(SWIFT) test --disable-swift-testing --sanitize=thread --scratch-path .build-tsan

clean: ## remove all that was built
	@rm -rf .build .build-*
