# The whole build is cargo's; make only puts the library where PHP's makefile expects a module.
# The sources are prerequisites so that "sudo make install" after "make" has no need of cargo,
# which root may not have.

FERRITE_SOURCES := $(shell find "$(FERRITE_ROOT)/ext" "$(FERRITE_ROOT)/reactor/src" "$(FERRITE_ROOT)/worker" \
	-name target -prune -o \( -name '*.rs' -o -name Cargo.toml \) -print)
FERRITE_TARGET_DIR = $${CARGO_TARGET_DIR:-$(FERRITE_ROOT)/target}

$(phplibdir)/ferrite.so: $(FERRITE_SOURCES) $(FERRITE_ROOT)/Cargo.toml $(FERRITE_ROOT)/Cargo.lock
	cd "$(FERRITE_ROOT)" && $(FERRITE_ENVIRONMENT) "$(CARGO)" build --release --locked --package ferrite
	@mkdir -p "$(phplibdir)" && rm -f "$@"
	cd "$(FERRITE_ROOT)" && cp "$(FERRITE_TARGET_DIR)/release/libferrite.so" "$@"

# PHP's "make test" reads the module's file name here; "make install" leaves this file out.
$(phplibdir)/ferrite.la: $(phplibdir)/ferrite.so
	@echo "dlname='ferrite.so'" > "$@"
