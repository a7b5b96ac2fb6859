# Every command of the project; `make` alone lists them.

SWIFT ?= swift
# CHAPTER=4 reaches the manifest through the environment, and makes it omit what that chapter does not need.
PROGRAMS = .build/debug
SOURCES = Sources Tests Chapters Benchmarks/Runner Benchmarks/Peers Package.swift Benchmarks/Package.swift
# After a crash under a sanitizer, Swift's own backtracer must not start: it would wait for the sanitizer forever.
SANITIZED = SWIFT_BACKTRACE=enable=no LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/leaks.supp:print_suppressions=0 \
	$(SWIFT) test --disable-swift-testing -Xswiftc -use-ld=lld

# The libraries that the benchmarks compare with, and their packages.
PEERS = /usr/include/tevent.h=libtevent-dev /usr/include/uv.h=libuv1-dev /usr/include/event2/event.h=libevent-dev \
	/usr/include/ev.h=libev-dev

COUNTS = $(SWIFT) build -c release --product peer-engine && $(SWIFT) build -c release --product bench && \
	.build/release/bench counts

.PHONY: help setup build tour test-player test test-release fuzz text check-text format lint sanitize valgrind bench counts \
	check-counts drop-in drop-in-test drop-in-samba docs clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing; prints nothing if nothing is
	@SWIFT='$(SWIFT)' Scripts/setup

build: setup ## build everything: engine, chapters, tools, tests
	@$(SWIFT) build --build-tests

tour: setup ## run every chapter's examples in order and compare their output with the tutorial
	@$(SWIFT) build
	@$(PROGRAMS)/tour --programs $(PROGRAMS)

test-player: ## test the player in chromium, and the recordings of every example; CHROMIUM=path selects another
	@SWIFT='$(SWIFT)' Scripts/setup python3-venv $(if $(CHROMIUM),,chromium)
	@$(SWIFT) build
	@PROGRAMS=$(PROGRAMS) Scripts/test-player

test: setup ## run every test suite; CHAPTER=4 selects one chapter, ONLY=EchoTests the suites of that name
	@$(SWIFT) test --disable-swift-testing $(if $(ONLY),--filter $(ONLY))

test-release: setup ## run every test suite on the optimised build
	@$(SWIFT) test --disable-swift-testing -c release -Xswiftc -enable-testing --scratch-path .build-release

fuzz: setup ## run random programs over the whole public API; SEEDS=1-50000, SECONDS=600 and CLASS=hooks select them
	@$(SWIFT) build -c release --product fuzz
	@.build/release/fuzz $(if $(SECONDS),--seconds $(SECONDS),--seeds $(or $(SEEDS),1-20000)) \
		$(foreach class,$(CLASS),--class $(class))

text: setup ## update the tutorial's code and output from the sources
	@$(SWIFT) run --quiet tour text

check-text: setup ## fail if the tutorial's code, output or links are out of date
	@$(SWIFT) run --quiet tour text --check

format: setup ## format all Swift code
	@$(SWIFT) format --in-place --parallel --recursive $(SOURCES)

lint: setup ## check the format, the documentation comments and the house rules
	@$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)
	@Scripts/check-rules

# The thread sanitizer has its own stack of calls, which overflows in programs of the class depth.
sanitize: setup ## run the test suites, random programs and C programs under the address and the thread sanitizer
	@$(SANITIZED) --sanitize=address --scratch-path .build-asan
	@.build-asan/debug/fuzz --seeds 1-2000
	@$(SANITIZED) --sanitize=thread --scratch-path .build-tsan
	@.build-tsan/debug/fuzz --seeds 1-300 --class threads --class messages
	@for kind in address thread; do \
		library=$$(SWIFT='$(SWIFT)' Scripts/drop-in --sanitize $$kind) && cc=$${library%/*}/cc && \
		CC=$$cc SWIFT='$(SWIFT)' Scripts/drop-in-test --library $$library --alone --only listings,programs && \
		CC=$$cc Scripts/differential --library $$library || exit; \
	done

# Debug information for the C parts in a format that valgrind 3.19 can read.
valgrind: ## run every example under valgrind
	@SWIFT='$(SWIFT)' Scripts/setup valgrind
	@$(SWIFT) build -c release -Xcc -gdwarf-4
	@Scripts/valgrind

bench: ## measure this engine and its peers in one run; ONLY=queue or ONLY=growth selects by name
	@SWIFT='$(SWIFT)' Scripts/setup $(PEERS)
	@cd Benchmarks && $(SWIFT) build -c release && .build/release/bench \
		$(if $(ONLY),--only $(ONLY),--json results.json --svg results.svg --summary-svg summary.svg --growth-svg growth.svg)

counts: ## count instructions, mallocs, chunks and system calls per operation, and write them as the bounds
	@SWIFT='$(SWIFT)' Scripts/setup valgrind strace /usr/include/tevent.h=libtevent-dev
	@cd Benchmarks && $(SWIFT) build -c release --product peer-libtevent && $(COUNTS) --write counts.json

check-counts: ## fail if an operation exceeds its bounds in Benchmarks/counts.json
	@SWIFT='$(SWIFT)' Scripts/setup valgrind strace
	@cd Benchmarks && $(COUNTS) --check counts.json

drop-in: setup ## build the engine as libtevent.so.0, for programs written in C
	@SWIFT='$(SWIFT)' Scripts/drop-in

drop-in-test: drop-in ## run C programs, Samba's own tests and random ones on the engine as libtevent.so.0
	@SWIFT='$(SWIFT)' Scripts/drop-in-test
	@Scripts/differential --seeds 1-20000

drop-in-samba: drop-in ## run Samba's file server on it; needs root, and Debian's samba, smbclient and samba-testsuite
	@Scripts/drop-in-samba

docs: setup ## write the libraries' reference as web pages, and say at which address they open
	@SWIFT='$(SWIFT)' Scripts/docs

clean: ## remove everything that was built
	@rm -rf .build .build-* Benchmarks/.build
