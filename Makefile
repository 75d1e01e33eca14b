# ngx_cx: make, make test, make demo, make bench, make lint, make asan, install
#
#   make faults FAULTS="--hours 1"   a drill: one fault after the other while
#                                    events flow, then they are counted; see
#                                    t/faults
#   make NGINX_SRC=/path/to/nginx    another nginx source tree than the
#                                    installed one (Debian's nginx-dev)

CC      ?= cc
CFLAGS  ?= -O2 -g
BUILD   ?= build
PREFIX  ?= /usr
DESTDIR ?=
PERL    ?= perl
PROVE   ?= prove

NGINX_SRC ?= /usr/share/nginx/src

WARN    = -Wall -Wextra -Werror
CORE    = $(wildcard ngx_cx_module/core/*.c)
AGG     = $(wildcard ngx_cx_module/aggregator/*.c)
CTL     = $(wildcard ngx_cx_module/ctl/*.c)
HTTP    = $(wildcard ngx_cx_module/http/*.c ngx_cx_module/http/*.h)
HEADERS = $(wildcard include/*.h)
WIDGET  = $(wildcard ngx_cx_module/widget/*)

# one place for what is needed from the system, by all targets and by CI

DEBS_BUILD = gcc make libc6-dev nginx nginx-dev libhiredis-dev libjansson-dev \
             libssl-dev esbuild brotli perl
DEBS_RUN   = redis-server redis-tools curl
DEBS_PAGES = python3-doc libffi-dev sqlite3-doc libjansson-doc debian-faq nginx-doc
DEBS_TEST  = chromium nghttp2-client openssl procps
DEBS_LINT  = clang clang-format cppcheck libclang-rt-14-dev

.PHONY: all gen module deps node test asan lint bench faults demo \
        install clean

all: module $(BUILD)/cx-aggregator $(BUILD)/cxctl

module: $(BUILD)/ngx_http_cx_module.so


# ---- generated headers: always below build/, where config looks for them ----

GEN = build/gen/ngx_http_cx_widget_data.h build/gen/cx_produce_lua.h \
      build/gen/cx_agents.h build/gen/cx_languages.h

gen: $(GEN)

EMBED = $(PERL) ngx_cx_module/embed.pl

build/gen/cx_produce_lua.h: ngx_cx_module/http/produce.lua
	@mkdir -p $(@D)
	$(EMBED) cx_produce_lua=$< > $@.tmp && mv $@.tmp $@

# the widget's one library, what makes it small, and the list of crawlers come
# from npm, by exact version

build/npm/stamp: ngx_cx_module/package.json
	@mkdir -p $(@D)
	cp $< build/npm/package.json
	npm install --prefix build/npm --no-audit --no-fund --no-package-lock \
	    --loglevel=error
	touch $@

CRAWLERS = build/npm/node_modules/crawler-user-agents/crawler-user-agents.json

build/gen/cx_agents.h: ngx_cx_module/agents.pl build/npm/stamp
	@mkdir -p $(@D)
	$(PERL) $< $(CRAWLERS) > $@.tmp && mv $@.tmp $@

build/gen/cx_languages.h: ngx_cx_module/languages.pl \
                          ngx_cx_module/languages.json
	@mkdir -p $(@D)
	$(PERL) $^ > $@.tmp && mv $@.tmp $@

# cx.js and the parts that it loads: one hash over all of them, since they only
# fit each other

WIDGET_JS = $(patsubst %,build/widget/%.js,cx cx-survey cx-ask cx-more \
                cx-forms cx-touch cx-vitals)

build/widget/stamp: $(WIDGET) $(HEADERS) build/npm/stamp
	NODE_PATH=$(CURDIR)/build/npm/node_modules \
	    ngx_cx_module/widget/build.sh build/widget
	touch $@

build/gen/ngx_http_cx_widget_data.h: build/widget/stamp ngx_cx_module/embed.pl
	@mkdir -p $(@D)
	set -e; for js in $(WIDGET_JS); do \
	    name=$$(basename $$js .js | tr - _); \
	    gzip -9 -n -c $$js > $$js.gz; \
	    brotli -q 11 -w 24 -f -o $$js.br $$js; \
	    $(EMBED) ngx_http_$${name}_js=$$js ngx_http_$${name}_gz=$$js.gz \
	        ngx_http_$${name}_br=$$js.br; \
	done > $@.tmp
	printf '#define NGX_HTTP_CX_WIDGET_HASH  "%.16s"\n' \
	    "$$(cat $(WIDGET_JS) | sha256sum)" >> $@.tmp
	mv $@.tmp $@


# ---- the module, in a tree of links, so that nginx's sources stay clean ----

NGINX_WORK = $(abspath $(BUILD))/nginx
NGINX_CC   = $(CFLAGS) -fPIC $(MODULE_CFLAGS)

$(NGINX_WORK)/Makefile.ready: config $(NGINX_SRC)/configure $(GEN)
	rm -rf $(NGINX_WORK)
	mkdir -p $(NGINX_WORK)
	cp -rs $(abspath $(NGINX_SRC))/. $(NGINX_WORK)/src
	rm -rf $(NGINX_WORK)/src/Makefile $(NGINX_WORK)/src/objs
	cd $(NGINX_WORK)/src && bash -c '\
	    NGX_CONF_FLAGS=(--with-compat); \
	    if [ -f conf_flags ]; then . ./conf_flags; fi; \
	    ./configure --with-cc="$(CC)" --with-cc-opt="$(NGINX_CC)" \
	        --with-ld-opt="$(MODULE_LDFLAGS)" \
	        "$${NGX_CONF_FLAGS[@]}" --builddir=$(NGINX_WORK)/objs \
	        --add-dynamic-module=$(CURDIR)' > $(NGINX_WORK)/configure.log \
	    || { grep -A3 'error' $(NGINX_WORK)/configure.log; exit 1; }
	touch $@

$(NGINX_SRC)/configure:
	@echo "ngx_cx: no nginx sources at $(NGINX_SRC): install nginx-dev" \
	      "(make deps), or say make NGINX_SRC=..." >&2
	@exit 1

$(BUILD)/ngx_http_cx_module.so: $(NGINX_WORK)/Makefile.ready $(HTTP) $(CORE) \
                                $(HEADERS) $(GEN)
	$(MAKE) -s -f $(NGINX_WORK)/objs/Makefile -C $(NGINX_WORK)/src modules
	cp $(NGINX_WORK)/objs/ngx_http_cx_module.so $@.tmp && mv $@.tmp $@


# ---- the aggregator and cxctl ----

OBJ     = $(BUILD)/obj
LIBOBJ  = $(patsubst ngx_cx_module/%.c,$(OBJ)/%.o,\
              $(CORE) $(filter-out %/cx_agg_main.c,$(AGG)))

$(OBJ)/%.o: ngx_cx_module/%.c $(HEADERS) $(wildcard ngx_cx_module/*/*.h)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(CFLAGS) $(WARN) -Iinclude -Ibuild/gen \
	    -Ingx_cx_module/aggregator -c -o $@ $<

$(OBJ)/core/cx_agent.o: build/gen/cx_agents.h
$(OBJ)/core/cx_language.o: build/gen/cx_languages.h

$(BUILD)/libcx.a: $(LIBOBJ)
	rm -f $@ && ar rcs $@ $^

LIBS = -lhiredis -ljansson -lssl -lcrypto -lm -pthread

$(BUILD)/cx-aggregator: $(OBJ)/aggregator/cx_agg_main.o $(BUILD)/libcx.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/cxctl: $(patsubst ngx_cx_module/%.c,$(OBJ)/%.o,$(CTL)) \
                $(BUILD)/libcx.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)


# ---- tests: real servers, each test its own ----

# a test keeps two cores busy, its own and its servers'
JOBS  ?= $(shell n=$$(nproc); echo $$(((n + 1) / 2)))
TESTS ?= $(wildcard t/*.t)

# a browser keeps a machine busy, and its clicks have time limits; so have the
# elections of Sentinels in the drill
ALONE  = $(filter t/browser.t t/demo.t t/faults.t,$(TESTS))
BESIDE = $(filter-out $(ALONE),$(TESTS))
RUN    = $(if $(BESIDE),$(PROVE) -It/lib -j$(JOBS) $(BESIDE)) \
         $(if $(BESIDE),$(if $(ALONE),&&)) \
         $(if $(ALONE),$(PROVE) -It/lib $(ALONE))

export CX_NODE_MODULES = $(CURDIR)/build/node/node_modules

node: build/node/stamp

build/node/stamp: t/js/package.json
	@mkdir -p $(@D)
	cp $< build/node/package.json
	npm install --prefix build/node --no-audit --no-fund --no-package-lock \
	    --loglevel=error
	touch $@

test: deps
	$(MAKE) all node
	export CX_BUILD=$(BUILD) CC=$(CC); $(RUN)

# the same tests, with AddressSanitizer and UBSan in module and programs

SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
           -fno-omit-frame-pointer

asan: deps
	$(MAKE) node
	$(MAKE) all BUILD=build/asan CFLAGS="-O1 -g $(SANITIZE)" \
	    MODULE_LDFLAGS="$(SANITIZE)"
	export CX_BUILD=build/asan CX_ASAN=1 CX_CFLAGS="-O1 -g $(SANITIZE)" \
	    ASAN_OPTIONS=detect_leaks=0:abort_on_error=0 \
	    UBSAN_OPTIONS=print_stacktrace=1; $(RUN)

# nothing that was taken may be lost, nothing counted twice

faults: deps
	$(MAKE) all
	CX_BUILD=$(BUILD) t/faults $(FAULTS)

# warnings as errors with both compilers, cppcheck, layout

lint:
	t/lint

bench: all node
	t/bench/run

# ---- what is missing of the Debian packages; node where none is ----

DEBS ?= $(DEBS_BUILD) $(DEBS_RUN) $(DEBS_PAGES) $(DEBS_TEST) \
        $(if $(LINT),$(DEBS_LINT))

deps:
	@have=$$(dpkg-query -W -f '$${Package} $${db:Status-Status}\n' $(DEBS) \
	    2>/dev/null | sed -n 's/ installed$$/ /p' | tr -d '\n'); \
	for deb in $(DEBS); do \
	    case " $$have" in *" $$deb "*) ;; *) lack="$$lack $$deb" ;; esac; \
	done; \
	{ node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' \
	    && npm --version; } >/dev/null 2>&1 || lack="$$lack nodejs npm"; \
	[ -n "$$lack" ] || exit 0; \
	command -v apt-get >/dev/null || { \
	    echo "ngx_cx: there is no apt-get here; install:$$lack" >&2; \
	    exit 1; }; \
	if [ "$$(id -u)" = 0 ]; then as=; \
	elif command -v sudo >/dev/null; then as=sudo; \
	else \
	    echo "ngx_cx: run make deps as root, it installs:$$lack" >&2; \
	    exit 1; \
	fi; \
	echo "ngx_cx: installs$$lack"; \
	$$as apt-get -q update && $$as env DEBIAN_FRONTEND=noninteractive \
	    apt-get -q -y --no-install-recommends install $$lack


# ---- the whole product on real pages: make demo, make demo DRIVE=1 ----

demo:
	@$(MAKE) -s --no-print-directory deps DEBS="$(DEBS_BUILD) $(DEBS_RUN) \
	    $(DEBS_PAGES) $(if $(DRIVE),$(DEBS_TEST))"
	@$(MAKE) --no-print-directory all $(if $(DRIVE),node)
	@BUILD=$(BUILD) DRIVE=$(DRIVE) conf/demo/run.sh


# ---- where Debian would put it ----

SYSCONFDIR ?= /etc

NGINX_MODULES = $(if $(filter /usr,$(PREFIX)),,$(PREFIX)/lib/nginx/)modules
INSTALL_DOCS  = README.md CHANGES LICENSE conf/delivery.md conf/redis-keys.md \
                conf/signals.md conf/surveys.md conf/nginx.conf \
                conf/cx-thresholds.conf \
                conf/demo/surveys.json

install: all
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,lib/nginx/modules bin sbin \
	    lib/systemd/system share/nginx/modules-available \
	    share/doc/ngx-cx/conf/demo) $(DESTDIR)$(SYSCONFDIR)
	install -m 644 $(BUILD)/ngx_http_cx_module.so \
	    $(DESTDIR)$(PREFIX)/lib/nginx/modules/
	echo "load_module $(NGINX_MODULES)/ngx_http_cx_module.so;" \
	    > $(DESTDIR)$(PREFIX)/share/nginx/modules-available/mod-http-cx.conf
	install -m 755 $(BUILD)/cxctl $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(BUILD)/cx-aggregator $(DESTDIR)$(PREFIX)/sbin/
	[ -e $(DESTDIR)$(SYSCONFDIR)/cx-aggregator.conf ] \
	    || install -m 644 conf/cx-aggregator.conf $(DESTDIR)$(SYSCONFDIR)/
	sed -e 's|^ExecStart=[^ ]*|ExecStart=$(PREFIX)/sbin/cx-aggregator|' \
	    -e 's|/etc/cx-agg|$(SYSCONFDIR)/cx-agg|g' \
	    conf/cx-aggregator.service \
	    > $(DESTDIR)$(PREFIX)/lib/systemd/system/cx-aggregator.service
	for file in $(INSTALL_DOCS) conf/demo/screenshot.png; do \
	    install -m 644 $$file \
	        $(DESTDIR)$(PREFIX)/share/doc/ngx-cx/$$(dirname $$file)/ \
	        || exit 1; \
	done

clean:
	rm -rf build
