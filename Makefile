# SPDX-License-Identifier: BSD-2-Clause
#
# lastack's build. `make help` lists the targets; everything that is made lands in build/.
#
# Sources are found by wildcard: drop a file into its directory and it takes part.
#   bpf/NAME.bpf.c          -> build/NAME.bpf.o -> build/NAME.skel.h
#   user/*.c                -> build/liblastack.a (all but main.c), build/lastack
#   tests/unit/*.c          -> build/test-unit     (with ASan and UBSan)
#   tests/prog/*.c          -> build/test-prog
#   tests/live/*.c          -> build/test-live     (all but demo.c)
#   tests/live/demo.c       -> build/demo          (with the helpers, not the test_*.c)
#   tests/tour/tour.c       -> build/tour          (with the same helpers)
#   tests/bench/*.c         -> build/bench
#   tests/truth/*.c         -> build/truth         (with the lab of tests/live)
#   tests/fuzz/fuzz_NAME.c  -> build/fuzz_NAME
#   tests/captures/generate.c -> build/captures -> tests/captures/*.pcap, by `make captures`
#   tests/axe/              -> build/axe/          (what the accessibility test needs of npm)
#   tests/*/NAME.bpf.c      -> build/NAME.bpf.o -> build/NAME.skel.h, struct NAME_bpf
#
# This machine is probed (compilers, pkg-config) when the Makefile is read for a goal that
# builds. The goals that install dependencies build in a second make, which probes afresh.

# What is needed, by its Debian 12 package name: to build the program, and to test it besides.
DEPS = make gcc libc6-dev pkg-config clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev \
       libpcap-dev libmnl-dev nettle-dev uthash-dev libjansson-dev libyaml-dev libcap-ng-dev \
       libseccomp-dev libsystemd-dev libsqlite3-dev libmicrohttpd-dev libgnutls28-dev libncurses-dev iproute2 lowdown
TEST_DEPS = libcriterion-dev libclang-rt-dev clang-format clang-tidy nftables tmux man-db \
       prometheus chromium chromium-driver python3-jsonschema openssl curl \
       $(if $(shell command -v npm),,npm)

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
SYSCONFDIR ?= /etc
UNITDIR ?= /lib/systemd/system
CC      = gcc
CLANG  ?= $(call probe,CLANG,$(call first_tool,clang clang-19 clang-16 clang-14))
LLVM_STRIP   ?= $(call probe,LLVM_STRIP,$(call first_tool,$(subst clang,llvm-strip,$(notdir $(CLANG))) llvm-strip))
CLANG_FORMAT ?= $(call probe,CLANG_FORMAT,$(call first_tool,clang-format-14 clang-format))
CLANG_TIDY   ?= $(call probe,CLANG_TIDY,$(call first_tool,clang-tidy-14 clang-tidy))
BPFTOOL ?= $(call probe,BPFTOOL,$(call first_tool,bpftool /usr/sbin/bpftool))
IFACE   ?= $(call probe,IFACE,$(shell { ip -4 route show default; ip -6 route show default; } 2>/dev/null | \
             sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1))

# $(call first_tool,A B C): the first of these commands that is installed, else A.
first_tool = $(or $(firstword $(foreach t,$(1),$(shell command -v $(t) 2>/dev/null))),$(firstword $(1)))
# $(call probe,VAR,...): what ... says, asked at the first use only.
probe = $(eval $(1) := $(2))$($(1))

VERSION := $(shell cat VERSION)
LIBS     = libbpf libelf zlib libpcap libmnl nettle jansson yaml-0.1 libcap-ng libseccomp libsystemd sqlite3 libmicrohttpd gnutls ncurses
WARN     = -Wall -Wextra -Werror
INCLUDES = -Iinclude -Iuser -Ibuild
DEFINES  = -D_GNU_SOURCE -DLA_VERSION='"$(VERSION)"'
OPT     ?= -O2 -g
HARDEN   = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
HARDEN_LD = -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LIB_CFLAGS  = $(call probe,LIB_CFLAGS,$(shell pkg-config --cflags $(LIBS) || \
		echo "make: something is missing to build: sudo make deps installs it" >&2))
LIB_LDLIBS  = $(call probe,LIB_LDLIBS,$(shell pkg-config --libs $(LIBS)))
TEST_CFLAGS = $(call probe,TEST_CFLAGS,$(shell pkg-config --cflags criterion 2>/dev/null))
TEST_LDLIBS = $(call probe,TEST_LDLIBS,$(shell pkg-config --libs criterion 2>/dev/null))
BASE_CFLAGS = -std=gnu11 $(WARN) $(INCLUDES) $(DEFINES) $(LIB_CFLAGS) -MMD -MP
BPF_CFLAGS  = -target bpf -mcpu=v3 -O2 -g $(WARN) -Ivmlinux -Iinclude -Ibpf

# One command line a kind of object; build/obj/KIND/PATH.o is made from PATH.c.
CC_user = $(CC) $(BASE_CFLAGS) $(OPT) $(HARDEN) $(CFLAGS)
CC_asan = $(CC) $(BASE_CFLAGS) -Itests $(TEST_CFLAGS) -O1 -g $(SANITIZE)
CC_test = $(CC) $(BASE_CFLAGS) -Itests $(TEST_CFLAGS) $(OPT)
# The house is gnu11 as gcc takes it; clang is stricter in what is no mistake.
CC_fuzz = $(CLANG) $(BASE_CFLAGS) -Wno-gnu -Wno-missing-field-initializers -Itests -O1 -g $(SANITIZE) -fsanitize=fuzzer-no-link

LIB_SRC   := $(filter-out user/main.c,$(wildcard user/*.c))
BPF_TESTS := $(wildcard tests/*/*.bpf.c)
UNIT_SRC  := $(wildcard tests/unit/*.c)
PROG_SRC  := $(filter-out $(BPF_TESTS),$(wildcard tests/prog/*.c))
LIVE_SRC  := $(filter-out $(BPF_TESTS) tests/live/demo.c,$(wildcard tests/live/*.c))
# These are of criterion, as the tests are.
DEMO_SRC  := $(wildcard tests/live/demo.c) $(filter-out tests/live/test_% $(patsubst %,tests/live/%.c,browser crowd prometheus scrape),$(LIVE_SRC))
TOUR_SRC  := tests/tour/tour.c $(filter-out tests/live/demo.c,$(DEMO_SRC))
BENCH_SRC := $(filter-out $(BPF_TESTS),$(wildcard tests/bench/*.c))
TRUTH_SRC := $(filter-out $(BPF_TESTS),$(wildcard tests/truth/*.c)) tests/live/lab.c
FUZZERS   := $(patsubst tests/fuzz/%.c,build/%,$(wildcard tests/fuzz/fuzz_*.c))
SUITES    := $(if $(UNIT_SRC),unit) $(if $(PROG_SRC),prog) $(if $(LIVE_SRC),live)
HEADERS   := $(wildcard include/*.h)
USER_HEADERS := $(wildcard user/*.h)
FORMATTED  = $(wildcard include/*.h bpf/*.[ch] user/*.[ch] tests/*.[ch] tests/*/*.[ch])
skeletons  = $(patsubst %.bpf.c,build/%.skel.h,$(notdir $(wildcard tests/$(1)/*.bpf.c)))
SECONDS ?= 3600

# All probes at once: a $(shell) between running jobs reaps their processes, and make 4.3
# then says "wait: No child processes". Goals that build nothing themselves do without.
NO_PROBES = run run-on-iface demo test truth soak bench fuzz deb help deps test-deps clean suites list-checks
ifneq ($(filter-out $(NO_PROBES),$(or $(MAKECMDGOALS),all)),)
PROBED := $(CLANG) $(LLVM_STRIP) $(BPFTOOL) $(LIB_CFLAGS) $(LIB_LDLIBS) $(TEST_CFLAGS) $(TEST_LDLIBS)
endif

objects = $(patsubst %.c,build/obj/$(1)/%.o,$(2))
# A page a verb of user/main.c, and those of docs/.
pages = $(patsubst %,build/man/%,lastack.8 lastack.yaml.5 lastack-filter.7 lastack-events.7 \
	$(patsubst user/cmd-%.c,lastack-%.8,$(subst _,-,$(wildcard user/cmd_*.c))))

Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2))
# Build steps run in parallel, one job a processor, unless the caller said -j.
SUBMAKE = $(MAKE) --no-print-directory $(if $(V),,-s) $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
AS_ROOT = if [ "$$(id -u)" != 0 ]; then echo "make $@: needs root: sudo make $@" >&2; exit 1; fi

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
.PHONY: all axe run demo tour test truth soak bench fuzz man install deb clean help deps test-deps vmlinux format tidy FORCE \
	check-format check-headers check-bpf check-captures check-traps check-schema check-dist captures schema suites

all: build/lastack ## build build/lastack (default)

# --- what people type ---------------------------------------------------------------------

run: ## build and watch IFACE (default: the interface of the default route); ARGS="..." is passed on
	@$(AS_ROOT)
	@$(MAKE) -s deps >&2
	@+$(SUBMAKE) build/lastack >&2
	@$(MAKE) -s run-on-iface

run-on-iface:
	@if [ -z "$(IFACE)" ]; then \
		echo "make run: no default route, so no default interface: say IFACE=NAME" >&2; exit 1; fi
	build/lastack run -i $(IFACE) $(ARGS)

demo: ## draw every way a connection can end, between two namespaces
	@$(AS_ROOT)
	@$(MAKE) -s deps
	@+$(SUBMAKE) build/lastack build/demo
	build/demo build/lastack

test: ## run all tests; the last line says how many passed and failed
	@$(AS_ROOT)
	@$(MAKE) -s test-deps
	@+tests/run

truth: ## hold lastack against the kernels' own word on N connections; SEED=, LOSS=1, ARGS="..."
	@$(AS_ROOT)
	@$(MAKE) -s test-deps
	@+$(SUBMAKE) build/lastack build/truth
	build/truth -n $(or $(N),1000) $(if $(SEED),-s $(SEED)) $(if $(LOSS),-l) $(ARGS) build/lastack

soak: ## fault tests at length: killed KILLS (200) times, standing still, SOAK_MINUTES (60) of each churn
	@$(AS_ROOT)
	@$(MAKE) -s test-deps
	@+$(SUBMAKE) build/lastack build/test-live
	LASTACK_KILLS=$(or $(KILLS),200) SOAK_MINUTES=$(or $(SOAK_MINUTES),60) \
		build/test-live --filter '@(kill|ring|soak)/*' --jobs 1

bench: ## measure speed, memory and steadiness against targets; QUICK=1: in a minute; ARGS="MEASURE..."
	@$(AS_ROOT)
	@$(MAKE) -s test-deps
	@+$(SUBMAKE) build/lastack build/bench
	$(if $(QUICK),QUICK=1) build/bench build/lastack $(ARGS)

fuzz: ## run each fuzzer for SECONDS (3600), from the corpora of tests/fuzz and into build/corpus
	@$(MAKE) -s test-deps
	@+$(SUBMAKE) $(FUZZERS)
	@for f in $(notdir $(FUZZERS)); do mkdir -p build/corpus/$$f; \
		$(MAKE) -s fuzz-run/$$f FUZZ_ARGS=-max_total_time=$(SECONDS) FUZZ_NEW=build/corpus/$$f || exit 1; done

man: $(pages) ## make the man pages, in build/man

build/man/lastack.8: build/lastack docs/man/page docs/man/lastack.md
	$(call page,main build/lastack)
build/man/lastack.yaml.5: docs/lastack.yaml docs/man/page
	$(call page,text lastack.yaml 5 "configuration of lastack run" $<)
build/man/lastack-filter.7: docs/filter.md docs/man/page
	$(call page,text lastack-filter 7 "the language that picks connections" $<)
build/man/lastack-events.7: docs/records.md docs/man/page
	$(call page,text lastack-events 7 "the records that lastack makes" $<)
build/man/lastack-%.8: build/lastack docs/man/page $(wildcard docs/man/*.md)
	$(call page,verb build/lastack $*)

define page
	$(call say,MAN,$@)
	@mkdir -p $(@D)
	$(Q)docs/man/page $(1) >$@
endef

install: build/lastack man ## install program, man pages, completions, service and an example of its file into DESTDIR
	$(Q)install -d $(addprefix $(DESTDIR),$(BINDIR) $(MANDIR)/man5 $(MANDIR)/man7 $(MANDIR)/man8 $(UNITDIR) $(SYSCONFDIR)/lastack \
		$(DATADIR)/bash-completion/completions $(DATADIR)/zsh/vendor-completions $(DATADIR)/fish/vendor_completions.d \
		$(DATADIR)/lastack/prometheus $(DATADIR)/lastack/grafana)
	$(Q)install -m 755 build/lastack $(DESTDIR)$(BINDIR)/lastack
	$(Q)for page in build/man/*.[578]; do install -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/; done
	$(Q)install -m 644 dist/completion/lastack.bash $(DESTDIR)$(DATADIR)/bash-completion/completions/lastack
	$(Q)install -m 644 dist/completion/_lastack $(DESTDIR)$(DATADIR)/zsh/vendor-completions/_lastack
	$(Q)install -m 644 dist/completion/lastack.fish $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/lastack.fish
	$(Q)install -m 644 dist/prometheus/lastack.rules.yml $(DESTDIR)$(DATADIR)/lastack/prometheus/
	$(Q)install -m 644 dist/grafana/lastack.json $(DESTDIR)$(DATADIR)/lastack/grafana/
	$(Q)sed 's|@BINDIR@|$(BINDIR)|' dist/systemd/lastack.service >$(DESTDIR)$(UNITDIR)/lastack.service
	$(Q)[ -e $(DESTDIR)$(SYSCONFDIR)/lastack/lastack.yaml ] || \
		sed 's/^interface:.*/#&/; s/^#all-interfaces:.*/all-interfaces: true/' docs/lastack.yaml \
			>$(DESTDIR)$(SYSCONFDIR)/lastack/lastack.yaml

deb: ## build a Debian package, build/lastack_VERSION_ARCH.deb
	@$(MAKE) -s deps
	$(Q)rm -rf build/deb
	@+$(SUBMAKE) install DESTDIR=build/deb PREFIX=/usr
	@dist/debian/build build/deb $(VERSION) build/lastack_$(VERSION)_$$(dpkg --print-architecture).deb

clean: ## remove build/
	$(Q)rm -rf build

tour: build/lastack build/tour ## write docs/tour.md anew: each verb, with what it says
	@$(AS_ROOT)
	$(Q)build/tour build/lastack >build/tour.md && mv build/tour.md docs/tour.md

captures: build/captures ## write the captures of tests/captures anew
	$(Q)build/captures tests/captures

vmlinux: ## refresh vmlinux/vmlinux.h from the running kernel
	$(Q)BPFTOOL=$(BPFTOOL) vmlinux/refresh.sh

format: ## format all sources
	$(Q)$(CLANG_FORMAT) -i $(FORMATTED)

tidy: build/lastack ## run clang-tidy over user/
	$(Q)$(CLANG_TIDY) --quiet $(wildcard user/*.c) -- $(subst -Ibuild,-isystem build,$(filter-out -MMD -MP,$(BASE_CFLAGS)))

help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo "variables: V=1 (show commands) IFACE ARGS PREFIX DESTDIR CLANG CC CFLAGS SECONDS N SEED LOSS KILLS SOAK_MINUTES QUICK"

# Installs what is missing where there is apt and the right to use it, else says what to install.
deps: NEEDED = $(DEPS)
test-deps: NEEDED = $(DEPS) $(TEST_DEPS)
deps: ## install what is needed to build (apt), or list it; test-deps: and to test
deps test-deps:
	@if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then \
		echo "needed, by Debian package name: $(NEEDED)"; exit 0; fi; \
	missing=; for p in $(NEEDED); do \
		dpkg-query -W -f='$${db:Status-Status}\n' $$p 2>/dev/null | grep -qx installed || missing="$$missing $$p"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	if [ "$$(id -u)" != 0 ]; then \
		echo "missing packages: run: sudo apt-get install$$missing" >&2; exit 1; fi; \
	echo "installing:$$missing"; \
	install="apt-get install -y -q --no-install-recommends"; \
	export DEBIAN_FRONTEND=noninteractive; \
	$$install $$missing </dev/null || { apt-get update -q && $$install $$missing </dev/null; }

# --- BPF ----------------------------------------------------------------------------------

build/lastack.bpf.o: bpf/lastack.bpf.c Makefile
build/lastack.skel.h: build/lastack.bpf.o
build/owners.bpf.o: bpf/owners.bpf.c Makefile
build/owners.skel.h: build/owners.bpf.o
$(foreach s,$(BPF_TESTS),$(eval build/$(notdir $(s:.bpf.c=.bpf.o)): $(s) Makefile))

# llvm-strip -g drops DWARF, which only weighs, and keeps BTF, which the kernel wants.
build/%.bpf.o:
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF build/$*.bpf.d -c $< -o $@
	$(Q)if command -v $(LLVM_STRIP) >/dev/null; then $(LLVM_STRIP) -g $@; fi

build/%.skel.h: build/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(subst -,_,$*)_bpf >$@

# --- native -------------------------------------------------------------------------------

define object_rule
build/obj/$(1)/%.o: %.c Makefile VERSION
	$$(call say,CC,$$<)
	@mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) -c $$< -o $$@
endef
$(foreach kind,user asan test fuzz,$(eval $(call object_rule,$(kind))))

# The page is embedded as it is.
$(foreach kind,user asan fuzz,build/obj/$(kind)/user/page.o): $(wildcard user/page/*)
# Sums several words at once, which gcc does from -O3 on.
build/obj/user/user/checksum.o: private CC_user += -O3
# A skeleton is seen by one file only.
$(foreach kind,user asan fuzz,build/obj/$(kind)/user/loader.o): | build/lastack.skel.h
$(foreach kind,user asan fuzz,build/obj/$(kind)/user/owners.o): | build/owners.skel.h
$(call objects,test,$(PROG_SRC)): | build/lastack.skel.h $(call skeletons,prog)
$(call objects,test,$(LIVE_SRC) $(DEMO_SRC)): | $(call skeletons,live)
$(call objects,test,$(BENCH_SRC)): | $(call skeletons,bench)
$(call objects,test,$(TRUTH_SRC)): | $(call skeletons,truth)
# Calls before each access to memory, which it answers itself: tests/bench/touched.h.
build/obj/test/tests/bench/touched.o: private CC_test += -fsanitize=kernel-address \
	--param asan-instrumentation-with-call-threshold=0 --param asan-stack=0 --param asan-globals=0

# An archive is made anew, so that it does not keep members whose source is gone.
define archive
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcs $@ $(filter %.o,$^)
endef

build/liblastack.a: $(call objects,user,$(LIB_SRC))
	$(archive)
build/liblastack-asan.a: $(call objects,asan,$(LIB_SRC))
	$(archive)
build/liblastack-fuzz.a: $(call objects,fuzz,$(LIB_SRC))
	$(archive)

# $(call link,COMMAND,LIBRARIES): all objects first, then our archive, then theirs.
define link
	$(call say,LD,$@)
	$(Q)$(1) $(filter %.o,$^) $(filter %.a,$^) $(2) -o $@
endef

build/lastack: build/obj/user/user/main.o build/liblastack.a
	$(call link,$(CC) $(OPT) $(HARDEN_LD) $(LDFLAGS),$(LIB_LDLIBS))
build/test-unit: $(call objects,asan,$(UNIT_SRC)) build/liblastack-asan.a
	$(call link,$(CC) $(SANITIZE),$(TEST_LDLIBS) $(LIB_LDLIBS))
build/test-prog: $(call objects,test,$(PROG_SRC)) build/liblastack.a | build/lastack
	$(call link,$(CC),$(TEST_LDLIBS) $(LIB_LDLIBS))
build/test-live: $(call objects,test,$(LIVE_SRC)) build/liblastack.a | build/lastack
	$(call link,$(CC),$(TEST_LDLIBS) $(LIB_LDLIBS))
# axe-core, one file of one package, of the version and with the checksum of its lock file. Without it
# one test fails and says so; the others need no network.
AXE = build/axe/node_modules/axe-core/axe.min.js
$(AXE): tests/axe/package.json tests/axe/package-lock.json
	$(call say,NPM,$@)
	@mkdir -p build/axe
	$(Q)cp $^ build/axe
	-$(Q)timeout 180 npm ci --prefix build/axe --cache build/axe/cache --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	$(Q)[ ! -e $@ ] || touch $@
# A phony target in between: what is .SECONDARY would not be made again for a program that is there.
axe: $(AXE)
build/test-live: | axe

build/demo: $(call objects,test,$(DEMO_SRC)) build/liblastack.a
	$(call link,$(CC),$(LIB_LDLIBS))
build/tour: $(call objects,test,$(TOUR_SRC)) build/liblastack.a
	$(call link,$(CC),$(LIB_LDLIBS))
build/bench: $(call objects,test,$(BENCH_SRC)) build/liblastack.a
	$(call link,$(CC),$(LIB_LDLIBS))
build/truth: $(call objects,test,$(TRUTH_SRC))
	$(call link,$(CC),$(LIB_LDLIBS))
build/captures: build/obj/test/tests/captures/generate.o
	$(call link,$(CC),)
build/fuzz_%: build/obj/fuzz/tests/fuzz/fuzz_%.o build/liblastack-fuzz.a
	$(call link,$(CLANG) $(SANITIZE) -fsanitize=fuzzer,$(LIB_LDLIBS))

# --- checks, each of them one test of tests/run -------------------------------------------

check-format: ## fail if a source is not formatted
	$(Q)$(CLANG_FORMAT) --dry-run --Werror $(FORMATTED)

check-headers: $(HEADERS:%=native/%) $(HEADERS:%=bpf/%) $(USER_HEADERS:%=native/%) ## every header compiles alone

# Compiled after an empty main file: as a main file its static functions would be "unused".
native/%.h: FORCE
	$(Q)$(CC) $(filter-out -MMD -MP,$(BASE_CFLAGS)) -fsyntax-only -include $*.h -x c /dev/null
bpf/include/%.h: FORCE
	$(Q)$(CLANG) $(BPF_CFLAGS) -fsyntax-only -include include/$*.h -x c /dev/null

check-captures: build/captures ## fail if the captures are not what their program writes
	$(Q)rm -rf build/captured && mkdir -p build/captured
	$(Q)build/captures build/captured
	$(Q)diff -r --exclude=generate.c build/captured tests/captures

check-traps: ## every test that docs/traps.md names exists, and every trap has one
	$(Q)tests/check-traps docs/traps.md tests

schema: ## write docs/records.schema.json anew from docs/records.md
	$(Q)tests/schema make docs/records.md >docs/records.schema.json

check-schema: build/lastack ## the JSON Schema of records is that of docs/records.md, and records keep to it
	$(Q)tests/schema make docs/records.md | diff docs/records.schema.json -
	$(Q)for capture in tests/captures/*.pcap; do build/lastack replay -o jsonl $$capture 2>/dev/null; done | \
		tests/schema check docs/records.schema.json

check-dist: ## what `make install` installs is complete and works
	$(Q)rm -rf build/installed
	$(Q)$(MAKE) -s install DESTDIR=build/installed PREFIX=/usr
	$(Q)tests/check-dist $(CURDIR)/build/installed

check-bpf: ## the BPF programs compile without a warning
	$(Q)for object in bpf/*.bpf.c; do $(CLANG) $(BPF_CFLAGS) -c $$object -o /dev/null || exit 1; done

# What crashed once, then a bounded run from the saved inputs, if there are any: the same inputs
# each time, so neither times nor addresses may have a say in them.
FUZZ_ARGS ?= -runs=20000 -seed=1 -entropic=0 -use_cmp=0
fuzz-run/%: build/% FORCE
	$(Q)for crash in $(wildcard tests/fuzz/crashes/$*/*); do \
		build/$* -verbosity=0 $$crash >build/$*.log 2>&1 || { cat build/$*.log; exit 1; }; done
	$(Q)new=$(or $(FUZZ_NEW),$$(mktemp -d)); \
		setarch -R build/$* $(FUZZ_ARGS) -max_len=4096 -print_final_stats=0 -verbosity=0 \
		-artifact_prefix=build/ "$$new" $(wildcard tests/fuzz/corpus/$*); code=$$?; \
		$(if $(FUZZ_NEW),,rm -rf "$$new";) exit $$code

# The truth lab at 8,000 connections without loss, and at 2,000 with loss and reordering, under a strict
# RST policy and then without: no step may differ from the kernels' but what lastack marks as presumed, each
# segment gets through, data arrives as it was sent, and what comes of the connections is the same.
# With loss one connection, as seen at three points, may: a new race is told of, but no reason to fail.
truth-run: build/lastack build/truth FORCE
	$(Q)build/truth -n 8000 -s 1 -j 128 -p strict -c build/lastack
truth-run-loss: build/lastack build/truth FORCE
	$(Q)build/truth -n 2000 -s 1 -j 256 -p strict -c -l -a 3 build/lastack

# What tests/run asks for: the names of its tests.
suites:
	@echo $(SUITES)
list-checks:
	@echo check-format check-bpf check-captures check-traps check-schema check-dist $(HEADERS:%=native/%) $(HEADERS:%=bpf/%) $(USER_HEADERS:%=native/%) \
		$(patsubst build/%,fuzz-run/%,$(FUZZERS)) truth-run truth-run-loss

FORCE:

-include $(shell [ -d build ] && find build -name '*.d' -type f)
