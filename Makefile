# Needs Python 3.11 to 3.13 and make; everything else comes with the lock files of requirements/.
# Works with the make of macOS (3.81) too: no newer features, please.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: demo stop clean test check clients faults campaign bench fill lock help

PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && echo "$$name" && break; done)
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m

INSTALL := $(RUN) pip install --quiet --require-hashes
UNREACHED := echo "The packages could not be installed; pip says why above. With the network back, run the same command again." >&2; exit 1

LOST := echo "There is data in .throughline, and something may run, but $(VENV), which could stop it, is gone." >&2; \
	echo "Run \`make demo\`, which makes it anew, then this again." >&2; exit 1

# A virtual environment knows what it was made of: unchanged lock files cost nothing the next time.
RUNTIME := $(VENV)/made-of-runtime
DEVELOPMENT := $(VENV)/made-of-development
BENCH := $(VENV)/made-of-bench

# Exported without a value it would be an empty setting.
ifdef PORT
export PORT
endif
# What several processes import is compiled once for all of them, whatever the machine's habit.
COMPILED := PYTHONDONTWRITEBYTECODE= $(RUN)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export UV_PYTHON_DOWNLOADS := never

demo: $(RUNTIME) ## Start everything and print its address (PORT=8080; DATA=<folder> for your own CRM export; SIMULATE=0)
	@$(BIN)/throughline up

stop: ## Stop everything, keep the data
	@if [ -x $(BIN)/throughline ]; then $(BIN)/throughline down; \
	elif [ -d .throughline ]; then $(LOST); \
	else echo "Nothing was installed, so nothing runs."; fi

clean: ## Stop everything, throw away the data and the installed packages
	@if [ -x $(BIN)/throughline ]; then $(BIN)/throughline down --data; elif [ -d .throughline ]; then $(LOST); fi
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

test: $(DEVELOPMENT) ## Run all tests, on servers of their own (ONLY=pure, database, broker or stack; PROCESSES=1; WITHOUT=<folder>)
	$(COMPILED) pytest -n $(or $(PROCESSES),auto) --no-loadscope-reorder \
		$(if $(ONLY),-m "$(ONLY)") $(if $(WITHOUT),--ignore $(WITHOUT))

check: $(DEVELOPMENT) ## Check format, lint, types, the laws of the house and known vulnerabilities
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(COMPILED) pytest tests/house
	$(RUN) deploy.audit

clients: $(DEVELOPMENT) ## Generate clients of the HTTP document with pinned generators, compile them, and have them read a real stack
	$(RUN) tests.clients

faults: $(DEVELOPMENT) ## Kill 200 processes, stall the network and restore a database under traffic: nothing is lost
	FAULT_KILLS=200 FAULT_SERVERS=1 $(RUN) pytest -m "campaign or not campaign" tests/faults

campaign: $(DEVELOPMENT) ## Tell thousands of histories in other orders, ask about the past before and after, and ask every operation: nothing changes
	HISTORY_CASES=2000 JOURNEY_CASES=50 BOOKS_STEPS=10000 CONFORMANCE_EACH=4 $(RUN) pytest tests/services/receivables/test_books.py tests/services/deals/test_state_machine.py tests/services/deals/test_quote_machine.py tests/journey/test_conformance.py tests/services/test_any_order.py tests/services/test_pages.py \
		tests/services/forecast/test_one_history.py tests/services/forecast/test_past.py \
		tests/deploy/test_import_order.py tests/deploy/test_import_again.py tests/deploy/test_import_undo.py \
		tests/journey/test_shuffled_histories.py

bench: $(BENCH) ## Measure the stack beside the eventsourcing library (ONLY=closed,open,…; AGAINST=<commit>; TURNS=2; QUICK=1; FRESH=1)
	$(RUN) tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(CLIENTS),--clients $(CLIENTS)) $(if $(AGAINST),--against $(AGAINST)) \
		$(if $(DEALS),--deals $(DEALS)) $(if $(REBUILT),--rebuilt $(REBUILT)) $(if $(TURNS),--turns $(TURNS)) $(if $(QUICK),--quick) $(if $(FRESH),--fresh) $(if $(WRITE),--write)

fill: $(DEVELOPMENT) ## Fill a stack with a large history (DEALS=5000, some 20 events each) and verify it
	$(RUN) tests.bench.fill $(if $(DEALS),--deals $(DEALS))

lock: $(DEVELOPMENT) ## Write the lock files anew from pyproject.toml
	@for set in "bench --group development" "development" "build"; do \
		group="$${set%% *}"; file="$$group"; [ "$$group" = build ] && file=runtime; \
		$(BIN)/uv pip compile pyproject.toml --group $$set --output-file requirements/$$file.txt \
			$$([ "$$group" = bench ] || echo "--constraint requirements/bench.txt") \
			--universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
			--no-emit-index-url --no-emit-find-links --quiet $(LOCK) || exit 1; \
	done
	@! grep -nE '(https?|git|file)://' requirements/*.txt

help: ## Say what there is
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r target text; do \
		printf '  make %-7s %s\n' "$$target" "$$text"; done

$(VENV)/pyvenv.cfg:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Throughline needs Python 3.11, 3.12 or 3.13, and found none of them." >&2; \
		echo "Install one with your system's package manager, or name it: make demo PYTHON=/path/to/python3.12" >&2; exit 1; fi
	@if ! $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null; then \
		echo "$(PYTHON) has no venv module, which makes the environment." >&2; \
		echo "Install it with your system's package manager; on Debian and Ubuntu it is: apt-get install python3-venv" >&2; exit 1; fi
	@echo "Making the environment in $(VENV) with $$($(PYTHON) --version)."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUNTIME): requirements/runtime.txt pyproject.toml | $(VENV)/pyvenv.cfg
	@echo "Installing what Throughline runs on (once)."
	@$(INSTALL) --requirement $< || { $(UNREACHED); }
	@$(RUN) pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -I -S deploy/editable_path.py $(VENV)/lib/python*/site-packages/_editable_impl_throughline.pth
	@touch $@

$(DEVELOPMENT): requirements/development.txt $(RUNTIME)
	@echo "Installing what its tests need (once)."
	@$(INSTALL) --requirement $< || { $(UNREACHED); }
	@touch $@

$(BENCH): requirements/bench.txt $(DEVELOPMENT)
	@echo "Installing what the bench compares with (once)."
	@$(INSTALL) --requirement $< || { $(UNREACHED); }
	@touch $@
