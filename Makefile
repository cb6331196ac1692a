# SPDX-License-Identifier: MIT
# `make` needs a C compiler and nothing else. `make help` lists the rest.

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin

ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
ifeq ($(CROSS_COMPILE)$(shell command -v gcc),)
CC := cc
endif
endif
NM ?= $(CROSS_COMPILE)nm
SIZE ?= $(CROSS_COMPILE)size

# Objects of every target and variant stand side by side: build/, build/mips-linux-gnu/, build/asan/.
B := build$(addprefix /,$(patsubst %-,%,$(notdir $(CROSS_COMPILE))))$(addprefix /,$(VARIANT))

VERSION := 0.1.0
# Small first: -Oz where the compiler knows it. Where data goes by, speed is worth a little size.
SMALL := $(if $(shell echo | $(CC) -Oz -fsyntax-only -x c - 2>&1),-Os,-Oz)
CFLAGS ?= $(SMALL)
# A static program is squeezed as a whole, by gcc and without CFLAGS of yours: 9 kB less for twice the time. Each flag was
# kept for what it saved; none costs speed where data goes by.
SQUEEZE := -flto -flto-partition=one -fno-inline-functions-called-once -fno-caller-saves -fno-tree-dominator-opts \
	-fno-move-loop-invariants -fno-tree-loop-im -fno-expensive-optimizations -fira-region=all -fno-optimize-sibling-calls \
	-fno-ira-hoist-pressure -fno-forward-propagate -fno-tree-tail-merge -fno-tree-forwprop -fno-tree-pta
SQUEEZE_x86_64 := -mgeneral-regs-only -malign-data=abi -fno-if-conversion -fno-jump-tables
takes = $(shell echo | $(CC) $(1) -fsyntax-only -x c - >/dev/null 2>&1 && echo yes)
ifeq ($(if $(STATIC),$(filter $(SMALL),$(CFLAGS))),$(CFLAGS))
ifeq ($(call takes,$(SQUEEZE)),yes)
TIGHT := $(SQUEEZE) $(if $(filter x86_64-%,$(shell $(CC) -dumpmachine)),$(SQUEEZE_x86_64))
endif
endif
HOT := core/csum
GZIP := $(shell command -v gzip)
WARN := -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wformat=2 \
	-Wframe-larger-than=4096 $(if $(WERROR),-Werror)
NEED := -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -iquote include \
	-DSONDE_VERSION='"$(VERSION)"' $(if $(GZIP),-DPAGE_GZIP) -ffunction-sections -fdata-sections -fno-strict-aliasing \
	-fno-asynchronous-unwind-tables -fno-unwind-tables $(if $(STATIC),-fno-pie)
# A static program for a router: no relocation, no pages of padding.
STATIC_FLAGS := -static -no-pie -Wl,-z,noseparate-code,-z,norelro,-z,common-page-size=16
STATIC_LINK := $(if $(STATIC),$(STATIC_FLAGS))
LINK := -Wl,--gc-sections,--build-id=none $(if $(filter -g%,$(CFLAGS)),,-s) $(STATIC_LINK) $(LDFLAGS)

PURE := $(wildcard src/core/*.c src/engine/*.c src/out/*.c)
# Names by libc, or by our stub: a static program cannot load what libc's way needs at run time.
RESOLVE ?= $(if $(STATIC),stub,libc)
REST := $(filter-out $(if $(filter stub,$(RESOLVE)),src/sys/look_up.c,src/sys/look_up_stub.c), \
	$(wildcard src/sys/*.c src/run/*.c src/cmd/*.c src/web/*.c))
obj = $(patsubst src/%.c,$(B)/obj/%.o,$(1))

PURE_TESTS := $(wildcard tests/core/test_*.c tests/engine/test_*.c tests/out/test_*.c)
SIM_TESTS := $(wildcard tests/sim/test_*.c)
HOST_TESTS := $(wildcard tests/sys/test_*.c)
TESTS := $(patsubst tests/%.c,$(B)/tests/%,$(PURE_TESTS) $(SIM_TESTS) $(HOST_TESTS))

ifdef V
Q :=
else
Q := @
endif
say = @printf '  %-5s %s\n' $(1) $(2)

all: $(B)/sonde ## build the program (the default)

$(B)/sonde: $(B)/obj/main.o $(call obj,$(REST) $(PURE))
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(TIGHT) -o $@ $^ $(LINK)

$(B)/libpure.a: $(call obj,$(PURE))
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/obj/%.o: src/%.c $(B)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(TIGHT) $(if $(filter $*,$(HOT)),$(if $(filter $(SMALL),$(CFLAGS)),-O2)) \
		$(WARN) $(NEED) -MMD -MP -c -o $@ $<

# Another compiler or other flags rebuild everything; the same ones rebuild nothing.
$(B)/flags: .FORCE
	$(Q)mkdir -p $(@D) && printf '%s\n' '$(CC) $(CFLAGS) $(TIGHT) $(WARN) $(LINK) $(VERSION) $(RESOLVE) $(GZIP)' | cmp -s - $@ || \
		printf '%s\n' '$(CC) $(CFLAGS) $(TIGHT) $(WARN) $(LINK) $(VERSION) $(RESOLVE) $(GZIP)' > $@

# The page is kept compressed, as every browser takes it; without a gzip here it stays as it is.
# A comment that has lines of its own, and what lines are indented by, would be a tenth of it.
$(B)/web/%: src/web/% $(B)/flags Makefile
	$(Q)mkdir -p $(@D) && sed -e 's/^[[:blank:]]*//' -e '/^<!--.*-->$$/d' -e '/^\/\*[^*]*\*\/$$/d' -e '/^\/\*$$/,/\*\/$$/d' \
		-e '/^$$/d' $< > $@ $(if $(GZIP),&& $(GZIP) -9nc < $@ > $@.gz && mv $@.gz $@)

$(B)/obj/web/page.o: NEED += -Wa,-I$(B)/web $(if $(TIGHT),-fno-lto)
$(B)/obj/web/page.o: $(B)/web/index.html $(B)/web/sonde.css $(B)/web/sonde.js

# Pure tests link the pure half alone: a module that is not pure does not link.
$(B)/tests/%: tests/%.c tests/support/guard.h $(B)/libpure.a $(call obj,$(REST))
	$(call say,TEST,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) -Wall -Wextra $(NEED) -MMD -MP -iquote tests/support -o $@ $< \
		$(if $(filter sys/%,$*),$(call obj,$(filter-out src/cmd/%,$(REST)))) \
		$(B)/libpure.a -lcmocka $(LINK)

# The lab's wire with faults, and a crowd of clients: programs of their own, beside the one under test.
$(B)/tests/lab/wire $(B)/tests/lab/crowd: $(B)/tests/lab/%: tests/lab/%.c $(B)/libpure.a
	$(call say,TEST,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(WARN) $(NEED) -MMD -MP -iquote tests/support -o $@ $< $(B)/libpure.a $(LINK)

setup: ## install what the tests need
	$(Q)scripts/setup

test: $(B)/sonde $(TESTS) ## run the unit, simulation and command-line tests
	$(Q)SONDE=$(abspath $(B)/sonde) scripts/tally $(TESTS) $(wildcard tests/cmd/test_*.py)

lab: $(B)/sonde $(B)/tests/lab/wire $(B)/tests/sys/names ## two network namespaces and a wire between them (root)
	$(Q)SONDE=$(abspath $(B)/sonde) scripts/tally $(wildcard tests/lab/test_*.py)

peers: $(B)/sonde ## real servers: python, nginx, lighttpd, busybox
	$(Q)SONDE=$(abspath $(B)/sonde) scripts/tally $(wildcard tests/peers/test_*.py)

web: $(B)/sonde ## the page in a real browser (root, chromium); pictures of its states in build/web/
	$(Q)SONDE=$(abspath $(B)/sonde) scripts/tally $(wildcard tests/web/test_*.py)

asan: ## all tests under the address and undefined-behaviour sanitizers
	$(Q)$(MAKE) --no-print-directory VARIANT=asan WARN= \
		CFLAGS='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' test

floors: ## prove that the pure floors are pure, here and on big-endian MIPS
	$(Q)scripts/floors

demo: $(B)/sonde ## our own server on the loopback, and a check against it
	$(Q)scripts/demo $(B)/sonde

bench: $(B)/sonde $(B)/tests/lab/wire $(B)/tests/lab/crowd ## figures beside peers, in one run (root)
	$(Q)scripts/bench $(B)/sonde

size: $(B)/sonde ## what each module costs
	$(Q)$(SIZE) $(call obj,$(PURE) $(REST)) $(B)/sonde | sort -n -k4
	$(Q)ls -l $(B)/sonde | awk '{print $$5 " bytes as built; stripped:"}'
	$(Q)$(CROSS_COMPILE)strip -o $(B)/sonde.stripped $(B)/sonde && ls -l $(B)/sonde.stripped | awk '{print $$5}'

install: $(B)/sonde ## into $(DESTDIR)$(BINDIR)
	install -D -m 755 $(B)/sonde $(DESTDIR)$(BINDIR)/sonde

clean: ## remove build/
	rm -rf build

help: ## this list
	$(Q)awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' Makefile
	$(Q)echo '  variables: CC CROSS_COMPILE=mips-linux-gnu- STATIC=1 RESOLVE=stub CFLAGS LDFLAGS PREFIX DESTDIR WERROR=1 V=1'

-include $(wildcard $(B)/obj/*/*.d $(B)/obj/*.d $(B)/tests/*/*.d)
.PHONY: all setup test lab peers web asan floors demo bench size install clean help .FORCE
