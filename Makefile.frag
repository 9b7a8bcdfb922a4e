# The whole build is cargo's; make only puts the library where PHP's makefile expects a module.

FERRITE_TARGET_DIR = $${CARGO_TARGET_DIR:-$(FERRITE_ROOT)/target}

.PHONY: ferrite-cargo

ferrite-cargo:
	cd "$(FERRITE_ROOT)" && $(FERRITE_ENVIRONMENT) "$(CARGO)" build --release --locked --package ferrite

$(phplibdir)/ferrite.so: ferrite-cargo
	@mkdir -p "$(phplibdir)"
	@rm -f "$@"
	cd "$(FERRITE_ROOT)" && cp "$(FERRITE_TARGET_DIR)/release/libferrite.so" "$@"

# PHP's "make test" reads the module's file name here; "make install" leaves this file out.
$(phplibdir)/ferrite.la: $(phplibdir)/ferrite.so
	@echo "dlname='ferrite.so'" > "$@"
