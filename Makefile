# Two commands do everything: `make demo` and `make test`. Both install what they need first (tools/setup.sh says what).
# Options: DEMO="--once --json", TEST="-k press", BENCH="--quick".
PINGAN = .venv/bin/pingan
# Most tests wait for something: four at once take some 20 minutes on two cores, three took 26.
WORKERS = 4

.PHONY: setup setup-test demo test check bench faults clean

demo: setup
	@$(PINGAN) demo $(DEMO)

test: setup-test check
	@.venv/bin/python -m pytest -n $(WORKERS) --dist worksteal $(TEST)

setup:
	@tools/setup.sh demo

setup-test:
	@tools/setup.sh test

check: setup
	@tools/check.sh

bench: setup
	@$(PINGAN) bench $(BENCH)

# The whole fault campaigns (hours). N=3: three times the slices that `make test` runs; ONLY=kill,flood; SEED=7.
faults: setup-test
	@.venv/bin/python -m hil_tests.faults $(if $(N),--n $(N)) $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED))

# What was installed and built for this checkout; the cache of built interpreters (~/.cache/pingan) stays.
clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache *.egg-info artifacts
