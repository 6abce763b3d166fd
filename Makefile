# One Makefile. Objects live under $(BUILD)/$(MODE)/, so variants never mix.
# `make help` lists the targets. Each folder is one library; what may link to
# what is the table of NEED_ below, which is the layer table of
# ops/lint/layers.awk seen from the linker.
MODE    ?= release
BUILD   ?= build
# clang and fuzz are builds by clang whatever CC says; ccache is kept.
override CC := $(if $(filter clang fuzz,$(MODE)),$(filter ccache,$(CC)) clang,$(if $(filter default,$(origin CC)),cc,$(CC)))
B       := $(BUILD)/$(MODE)
GEN     := $(B)/gen
PREFIX  ?= /usr/local
DESTDIR ?=
Q       := $(if $(V),,@)
VERSION := 0.1.0
.DEFAULT_GOAL := all

# ---- libraries: name, folder ------------------------------------------------
LIBS := base os vocabulary codec proof sdmx disclosure policy core evidence \
  gate inspect worker client cli
DIR_base       := broker/base
DIR_os         := broker/os
DIR_vocabulary := schemas/vocabulary
DIR_codec      := schemas/codec
DIR_proof      := schemas/proof
DIR_sdmx       := schemas/sdmx
DIR_disclosure := policy/disclosure
DIR_policy     := policy
DIR_core       := broker/core
DIR_evidence   := broker/evidence
DIR_gate       := broker
DIR_inspect    := broker/inspect
DIR_worker     := broker/inspect/worker
DIR_client     := adapters/client
DIR_cli        := adapters/cli

# What a library's tests link, itself first.
NEED_base       := base
NEED_os         := os base
NEED_vocabulary := vocabulary base
NEED_codec      := codec vocabulary os base
NEED_proof      := proof codec vocabulary os base
NEED_sdmx       := sdmx proof codec vocabulary os base
NEED_disclosure := disclosure $(NEED_sdmx)
NEED_policy     := policy disclosure $(NEED_sdmx)
NEED_core       := core policy proof codec vocabulary os base
NEED_evidence   := evidence proof codec vocabulary os base
NEED_inspect    := inspect codec vocabulary os base
NEED_gate       := gate inspect evidence $(NEED_core)
NEED_worker     := worker disclosure $(NEED_sdmx)
NEED_client     := client $(NEED_sdmx)
NEED_e2e        := evidence $(NEED_client)
NEED_cli        := cli policy disclosure evidence $(NEED_client)

PROTO    := $(sort $(wildcard schemas/*.proto))
PROTO_H  := $(PROTO:%.proto=$(GEN)/%.pb-c.h)
PROTO_O  := $(PROTO:%.proto=$(B)/gen/%.pb-c.o)
MAINS    := broker/main.c broker/inspect/worker/main.c adapters/cli/main.c
$(foreach l,$(LIBS),$(eval SRC_$(l) := $(sort $(filter-out $(MAINS),$(wildcard $(DIR_$(l))/*.c)))))
SRC_LIB  := $(foreach l,$(LIBS),$(SRC_$(l)))
GEN_codec      := $(PROTO_O)
GEN_vocabulary := $(patsubst schemas/vocabulary/%.csv,$(B)/gen/schemas/vocabulary/%.o,$(wildcard schemas/vocabulary/*.csv))
GEN_policy     := $(patsubst policy/%.y,$(B)/gen/policy/%.o,$(wildcard policy/*.y)) \
                  $(patsubst policy/%.re,$(B)/gen/policy/%.o,$(wildcard policy/*.re))

# Foreign libraries, each behind the door that lint names.
SYS_base     := -lcrypto -lsodium -lxxhash
SYS_codec    := -lprotobuf-c -lzstd
SYS_sdmx     := -lexpat -ljansson
SYS_policy   := -lroaring
SYS_evidence := -llmdb -lpthread
SYS_gate     := -lzmq -lpthread
SYS_client   := -lzmq
SYS_cli      := -ljansson

TEST_SRC  := $(sort $(wildcard tests/unit/*/test_*.c tests/sim/test_*.c tests/crash/test_*.c tests/e2e/test_*.c))
FUZZ_SRC  := $(sort $(wildcard tests/fuzz/*/fuzz_*.c))
BENCH_SRC := $(sort $(wildcard tests/bench/*/bench_*.c))
HELPER_SRC := $(sort $(wildcard tests/harness/*.c))
WORLD_SRC := $(sort $(wildcard tests/e2e/world*.c))
TESTS     := $(TEST_SRC:%.c=$(B)/%)
SOURCES   := $(SRC_LIB) $(wildcard $(MAINS)) $(TEST_SRC) $(FUZZ_SRC) $(BENCH_SRC) \
  $(HELPER_SRC) $(WORLD_SRC) tests/e2e/faults.c tests/e2e/liar.c tests/e2e/crash.c $(sort $(wildcard ops/gen/*.c))
GRAMMARS  := $(sort $(wildcard policy/*.y policy/*.re))
HEADERS   := $(sort $(foreach d,$(foreach l,$(LIBS),$(DIR_$(l))),$(wildcard $(d)/*.h)) $(wildcard tests/*/*.h tests/*.h))

# ---- flags ------------------------------------------------------------------
# Flags this compiler knows, out of those given (gcc 12 and clang 14 differ).
known = $(foreach f,$(1),$(shell $(CC) -Werror $(f) -x c -c -o /dev/null \
  /dev/null 2>/dev/null && echo '$(f)'))

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
  -Wcast-qual -Wwrite-strings -Wpointer-arith -Wundef \
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla \
  -Wformat=2 -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference \
  -Wdouble-promotion -Wdate-time
KNOWN_WARN := $(call known,-Wcast-align=strict -Wduplicated-cond \
  -Wduplicated-branches -Wlogical-op -Walloca -Wstack-usage=16384)
WARN += $(KNOWN_WARN)
KNOWN_HARD := $(call known,-ftrivial-auto-var-init=zero)
HARDEN := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
  -fstack-clash-protection -fcf-protection=full \
  -fno-delete-null-pointer-checks -fno-strict-overflow -fno-common $(KNOWN_HARD)
HARDEN_LD := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code \
  -Wl,--as-needed -Wl,-z,defs

STD       := -std=c17 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE
SG_CFLAGS := $(STD) -I. -isystem $(GEN) -fPIC -g $(WARN) $(if $(WERROR),-Werror) \
  -DSG_VERSION='"$(VERSION)"'
ifeq ($(MODE),release)
SG_CFLAGS += -O2 $(HARDEN)
SG_LDFLAGS := $(HARDEN_LD)
else ifeq ($(MODE),clang)
# protoc-c's ..._INIT casts const away and clang sees it at each use; gcc checks ours.
SG_CFLAGS += -O1 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -Wno-cast-qual
SG_LDFLAGS := -pie
else ifeq ($(MODE),debug)
SG_CFLAGS += -Og
else ifeq ($(MODE),asan)
# No FORTIFY and no auto-init here: both hide what the sanitizers look for.
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SG_CFLAGS += -O1 -DSG_ARENA_EACH_MALLOC -DSG_ASAN -DSG_SANDBOX_LOGS -Wno-stack-usage $(SAN)
SG_LDFLAGS := $(SAN)
else ifeq ($(MODE),tsan)
SG_CFLAGS += -O1 -DSG_SANDBOX_LOGS -fsanitize=thread -Wno-stack-usage
SG_LDFLAGS := -fsanitize=thread
else ifeq ($(MODE),fuzz)
SAN := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
SG_CFLAGS += -O1 -DSG_ARENA_EACH_MALLOC -DSG_ASAN -DSG_SANDBOX_LOGS -Wno-cast-qual $(SAN)
SG_LDFLAGS := -fsanitize=address,undefined
else ifeq ($(MODE),cover)
SG_CFLAGS += -O0 -Wno-stack-usage --coverage
SG_LDFLAGS := --coverage
else
$(error MODE is release, clang, debug, asan, tsan, fuzz or cover, not '$(MODE)')
endif
# Code that tools wrote: our standard, not our taste.
GEN_CFLAGS := $(filter-out $(WARN) -Werror,$(SG_CFLAGS)) -w -DNDEBUG

# ---- rules ------------------------------------------------------------------
.PHONY: all check build-tests test asan tsan tsan-gate cover fuzz fuzz-run bench conformance campaign install format \
  lint layers shape headers symbols format-check tidy demo clean help FORCE
.DELETE_ON_ERROR:
.SECONDARY:

# A program is built where its main is, the library where its map is.
LIBSTATGATE := $(if $(wildcard adapters/client/libstatgate.map),$(B)/libstatgate.so)
PROGRAMS := $(if $(wildcard broker/main.c),$(B)/statgated) \
  $(if $(wildcard broker/inspect/worker/main.c),$(B)/statgate-inspect) \
  $(if $(wildcard adapters/cli/main.c),$(B)/statgate) \
  $(LIBSTATGATE)
all: $(PROGRAMS) ## build everything, optimised and hardened

$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(SG_CFLAGS) $(CFLAGS)' | cmp -s - $@ || \
	  echo '$(CC) $(SG_CFLAGS) $(CFLAGS)' > $@
FORCE:

$(B)/%.o: %.c $(B)/flags | $(PROTO_H)
	@mkdir -p $(@D)
	@echo '  CC   $<'
	$(Q)$(CC) $(SG_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MD -MP -c -o $@ $<

$(GEN)/schemas/%.pb-c.c $(GEN)/schemas/%.pb-c.h: schemas/%.proto
	@mkdir -p $(GEN)
	$(Q)protoc-c --proto_path=. --c_out=$(GEN) $<
$(B)/gen/schemas/%.pb-c.o: $(GEN)/schemas/%.pb-c.c $(B)/flags | $(PROTO_H)
	$(Q)$(CC) $(GEN_CFLAGS) -c -o $@ $<
$(GEN)/policy/%.c $(GEN)/policy/%.h: policy/%.y
	@mkdir -p $(GEN)/policy
	$(Q)lemon -q -d$(GEN)/policy $<
$(GEN)/policy/%.c: policy/%.re
	@mkdir -p $(GEN)/policy
	$(Q)re2c -W --no-debug-info -o $@ $<
$(B)/gen/%.o: $(GEN)/%.c $(B)/flags | $(PROTO_H)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GEN_CFLAGS) -I$(GEN)/policy -MMD -MP -c -o $@ $<

# Tables made at build time by ops/gen programs go through mk_<lib>.mk files.
-include ops/gen/tables.mk

define lib_rule
$(B)/lib$(1).a: $$(SRC_$(1):%.c=$(B)/%.o) $$(GEN_$(1))
	@rm -f $$@
	$$(Q)$$(AR) rcsD $$@ $$^
endef
$(foreach l,$(LIBS),$(eval $(call lib_rule,$(l))))

archives = $(foreach l,$(1),$(B)/lib$(l).a)
system   = $(sort $(foreach l,$(1),$(SYS_$(l))))
link     = $(Q)$(CC) $(SG_LDFLAGS) $(LDFLAGS) -o $@ $(1) -Wl,--start-group $(call archives,$(2)) -Wl,--end-group $(call system,$(2)) $(3)

# In a variable, since a comma would end an argument of call.
BESIDE := -L$(B) -lstatgate -Wl,-rpath,'$$ORIGIN:$$ORIGIN/../lib'

LINK_statgated := gate inspect evidence core policy proof codec vocabulary os base
LINK_inspect   := worker disclosure sdmx proof codec vocabulary os base
LINK_cli       := cli evidence policy disclosure sdmx proof codec vocabulary os base
LINK_client    := client sdmx proof codec vocabulary os base

$(B)/statgated: $(B)/broker/main.o $(call archives,$(LINK_statgated))
	@echo '  LD   $@'
	$(call link,$<,$(LINK_statgated))
$(B)/statgate-inspect: $(B)/broker/inspect/worker/main.o $(call archives,$(LINK_inspect))
	@echo '  LD   $@'
	$(call link,$<,$(LINK_inspect))
$(B)/libstatgate.so: adapters/client/libstatgate.map $(call archives,$(LINK_client))
	@echo '  LD   $@'
	$(Q)$(CC) $(filter-out -pie,$(SG_LDFLAGS)) $(LDFLAGS) -shared -Wl,-soname,libstatgate.so.0 \
	  -Wl,--version-script=$< -o $@ -Wl,--whole-archive $(B)/libclient.a -Wl,--no-whole-archive \
	  -Wl,--start-group $(call archives,$(filter-out client,$(LINK_client))) -Wl,--end-group $(call system,$(LINK_client))
	@ln -sf libstatgate.so $(B)/libstatgate.so.0
$(B)/statgate: $(B)/adapters/cli/main.o $(LIBSTATGATE) $(call archives,$(LINK_cli))
	@echo '  LD   $@'
	$(call link,$<,$(LINK_cli),$(if $(LIBSTATGATE),$(BESIDE)))

# ---- tests: tests/unit/<lib>/test_*.c link what <lib> needs -------------------
HARNESS := $(HELPER_SRC:%.c=$(B)/%.o)
need_of = $(NEED_$(1)) $(if $(NEED_$(1)),,$(error tests: no library called '$(1)'))
# Calls between files that a test takes over (ld --wrap).
turn = $(foreach f,$(1),-Wl,--wrap=$(f))
define test_rule
$(B)/tests/$(1)/$(2)/%: $(B)/tests/$(1)/$(2)/%.o $$(HARNESS) $$(call archives,$$(NEED_$(2)))
	@echo '  LD   $$@'
	$$(call link,$$< $$(HARNESS),$$(NEED_$(2)),$(3))
endef
$(foreach l,$(LIBS),$(eval $(call test_rule,unit,$(l),-lcmocka)))
# What a fuzz target or a bench is held against, and nothing else is linked to.
PEER_sdmx := -lyajl
$(foreach l,$(filter-out gate,$(LIBS)),$(eval $(call test_rule,bench,$(l),$(PEER_$(l)))))
$(foreach l,$(LIBS),$(eval $(call test_rule,fuzz,$(l),$(if $(filter fuzz,$(MODE)),-fsanitize=fuzzer) $(PEER_$(l)) -lcmocka)))
SIM := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tests/sim/sim_*.c)))
$(B)/tests/sim/%: $(B)/tests/sim/%.o $(SIM) $(HARNESS) $(call archives,$(NEED_core))
	$(call link,$< $(SIM) $(HARNESS) $(call turn,$(TURNS)),$(NEED_core),-lcmocka)
$(B)/tests/sim/test_twins: TURNS := sg_explain_code
$(B)/tests/sim/test_planted: TURNS := sg_match_decide sg_match_begin sg_match_add sg_consented_statements sg_table_next
# A core with a history in it: the simulation writes the first of it.
$(B)/tests/bench/gate/%: $(B)/tests/bench/gate/%.o $(SIM) $(HARNESS) $(call archives,$(NEED_gate))
	$(call link,$< $(SIM) $(HARNESS),$(NEED_gate))
$(B)/tests/crash/%: $(B)/tests/crash/%.o $(HARNESS) $(call archives,$(NEED_evidence))
	$(call link,$< $(HARNESS),$(NEED_evidence),-lcmocka)
# A world of peers, and the faults that are preloaded under its gate: never
# sanitized, since it stands in front of the sanitizer.
WORLD := $(WORLD_SRC:%.c=$(B)/%.o)
FAULTS := $(B)/tests/e2e/faults.so
$(B)/tests/e2e/%: $(B)/tests/e2e/%.o $(WORLD) $(HARNESS) $(call archives,$(NEED_e2e)) | $(PROGRAMS) $(FAULTS)
	$(call link,$< $(WORLD) $(HARNESS),$(NEED_e2e),-lcmocka)
# Programs of the product linked anew with some of their calls turned by a test,
# each in a folder where statgated finds the other one beside it.
LIAR_TURNS := sg_role_reader sg_sealed_in_next sg_sealed_out_write sg_os_channel_send
$(B)/tests/e2e/liar/statgate-inspect: $(B)/broker/inspect/worker/main.o $(B)/tests/e2e/liar.o $(call archives,$(LINK_inspect))
	@mkdir -p $(@D)
	$(call link,$(filter %.o,$^) $(call turn,$(LIAR_TURNS)),$(LINK_inspect))
CRASH_TURNS := sg_session_message sg_publish_batch sg_inspect_done sg_release_apply sg_match_decide_on \
  sg_evidence_append sg_effect_fill sg_wire_send sg_deliver_apply_released sg_deliver_key_sent \
  sg_deliver_apply_ack sg_core_apply sg_recover_open sg_core_resume
$(B)/tests/e2e/crash/statgated: $(B)/broker/main.o $(B)/tests/e2e/crash.o $(call archives,$(LINK_statgated))
	@mkdir -p $(@D)
	$(call link,$(filter %.o,$^) $(call turn,$(CRASH_TURNS)),$(LINK_statgated))
$(B)/tests/e2e/%/statgate-inspect: $(B)/statgate-inspect
	@mkdir -p $(@D)
	@ln -f $< $@
$(B)/tests/e2e/%/statgated: $(B)/statgated
	@mkdir -p $(@D)
	@ln -f $< $@
$(B)/tests/e2e/test_23_liar: | $(B)/tests/e2e/liar/statgate-inspect $(B)/tests/e2e/liar/statgated
$(B)/tests/e2e/test_21_crash: | $(B)/tests/e2e/crash/statgated $(B)/tests/e2e/crash/statgate-inspect
$(FAULTS): tests/e2e/faults.c tests/e2e/faults.h $(B)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(STD) -D_GNU_SOURCE -I. -O1 -g -fPIC $(WARN) $(if $(WERROR),-Werror) -shared -o $@ $<

# One line a test program; its output is shown only when it fails.
build-tests: $(PROGRAMS) $(TESTS)
test: build-tests ## all tests of this MODE
	@ops/run-tests $(B) $(TESTS)
test-%: ## the unit tests of one library: make test-sdmx
	@$(if $(wildcard tests/unit/$*/test_*.c),,echo 'tests/unit/$*/ has no tests' >&2; exit 1)
	@$(MAKE) --no-print-directory $(patsubst %.c,$(B)/%,$(wildcard tests/unit/$*/test_*.c))
	@ops/run-tests $(B) $(patsubst %.c,$(B)/%,$(wildcard tests/unit/$*/test_*.c))

check: ## what must pass before a change lands (does all set-up)
	@ops/bootstrap
	@ops/check

asan: ## all tests under Address- and UBSanitizer
	$(MAKE) MODE=asan test
tsan: ## all tests and a whole gate under ThreadSanitizer
	$(MAKE) MODE=tsan test
	$(MAKE) MODE=tsan tsan-gate
tsan-gate: $(PROGRAMS) $(B)/tests/bench/client/bench_withdraw
	@ops/run-tsan $(B)

cover: ## what the tests run, by folder (COVER='FILE...': lines that did not)
	@find $(BUILD)/cover -name '*.gcda' -delete 2>/dev/null || true
	$(MAKE) MODE=cover test
	@ops/cover $(BUILD)/cover $(COVER)

FUZZ_S ?= 60
fuzz: ## every fuzz target for FUZZ_S seconds each
	$(MAKE) MODE=fuzz fuzz-run FUZZ_S=$(FUZZ_S)
fuzz-run: $(FUZZ_SRC:%.c=$(B)/%)
	@ops/run-fuzz $(BUILD) $(FUZZ_S) $^

conformance: $(PROGRAMS) ## the product from outside, and against the samples of ../shared
	@ops/conformance $(BUILD) $(B)/statgate
bench: $(PROGRAMS) $(BENCH_SRC:%.c=$(B)/%) ## measure, as ratios in one run
	@ops/run-bench $(B)
campaign: ## the long tests that do not fit into CI
	@ops/campaign

demo: ## set up and build everything for `statgate demo`
	@ops/bootstrap build
	@$(MAKE) --no-print-directory all
	@echo 'Now run: $(B)/statgate demo'

install: all ## to $(DESTDIR)$(PREFIX)
	@ops/install '$(B)' '$(DESTDIR)' '$(PREFIX)' '$(VERSION)'

format: ## rewrite all sources in the house format
	clang-format -i $(SOURCES) $(HEADERS)

lint: layers shape headers symbols format-check tidy ## layers, doors, symbols, shape, format
format-check:
	@clang-format --dry-run --Werror $(SOURCES) $(HEADERS)
layers:
	@awk -f ops/lint/layers.awk $(SOURCES) $(HEADERS) $(GRAMMARS)
shape:
	@ops/lint/shape.sh
headers: $(PROTO_H)
	@for h in $(HEADERS); do echo "#include \"$$h\"" | \
	  $(CC) $(filter-out -Werror,$(SG_CFLAGS)) -Wno-unused -x c -fsyntax-only - || exit 1; done
symbols: all
	@ops/lint/symbols.sh $(B)
tidy: $(PROTO_H)
	@ops/lint/tidy.sh "$(STD) -I. -isystem $(GEN) -DSG_VERSION=\"$(VERSION)\"" $(SRC_LIB) $(wildcard $(MAINS))

clean: ## remove what was built
	rm -rf $(BUILD)
help: ## this list
	@grep -hE '^[a-z%-]+:.*##' Makefile | sed 's/:.*## */\t/' | expand -t 12

-include $(SOURCES:%.c=$(B)/%.d) $(SIM:%.o=%.d)
