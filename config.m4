dnl phpize && ./configure && make && make install
dnl The extension is written in Rust: configure looks for what cargo needs, make calls cargo.

PHP_ARG_ENABLE([ferrite],
  [whether to enable Ferrite],
  [AS_HELP_STRING([--enable-ferrite], [Enable Ferrite, the HTTP application server])],
  [yes])

PHP_ARG_WITH([cargo],
  [for the cargo executable to use],
  [AS_HELP_STRING([--with-cargo=PATH], [The cargo executable, when it is not in PATH])],
  [no], [no])

if test "$PHP_FERRITE" != "no"; then
  if test "$PHP_THREAD_SAFETY" = "yes"; then
    AC_MSG_ERROR([Ferrite forks its workers and needs a PHP without thread safety (NTS). This PHP is ZTS: use --with-php-config=PATH to name another one.])
  fi
  if test "$PHP_DEBUG" = "yes" || test "$PHP_DEBUG" = "1"; then
    AC_MSG_ERROR([Ferrite is built for release builds of PHP, and this one is a debug build: use --with-php-config=PATH to name another one.])
  fi

  AC_MSG_CHECKING([for PHP 8.2 or newer])
  FERRITE_PHP_VERSION_ID=`$PHP_CONFIG --vernum 2>/dev/null`
  if test -z "$FERRITE_PHP_VERSION_ID"; then
    AC_MSG_ERROR([php-config does not work: install php-dev or use --with-php-config=PATH.])
  elif test "$FERRITE_PHP_VERSION_ID" -lt 80200; then
    AC_MSG_ERROR([PHP is too old: Ferrite needs 8.2 or newer. Use --with-php-config=PATH to name another one.])
  fi
  AC_MSG_RESULT([yes])

  if test "$PHP_CARGO" != "no" && test "$PHP_CARGO" != "yes"; then
    CARGO="$PHP_CARGO"
  else
    AC_PATH_PROG([CARGO], [cargo], [], [$PATH:$HOME/.cargo/bin])
  fi
  AC_MSG_CHECKING([whether cargo works])
  if test -z "$CARGO"; then
    AC_MSG_ERROR([cargo was not found: install Rust from https://rustup.rs, or use --with-cargo=PATH.])
  elif ! "$CARGO" --version >/dev/null 2>&1; then
    AC_MSG_ERROR([$CARGO does not run: install Rust from https://rustup.rs, or use --with-cargo=PATH.])
  fi
  AC_MSG_RESULT([yes])

  AC_PATH_PROG([FERRITE_CLANG], [clang])
  AC_MSG_CHECKING([for libclang])
  FERRITE_LIBCLANG=
  for dir in "$LIBCLANG_PATH" /usr/lib/llvm-*/lib /usr/lib/*-linux-gnu /usr/lib64 /usr/local/lib /usr/lib; do
    for file in "$dir"/libclang.so "$dir"/libclang.so.* "$dir"/libclang-*.so "$dir"/libclang-*.so.*; do
      if test -n "$dir" && test -e "$file"; then
        FERRITE_LIBCLANG="$file"
        break 2
      fi
    done
  done
  if test -z "$FERRITE_LIBCLANG"; then
    AC_MSG_ERROR([libclang was not found: install libclang-dev (Debian) or clang-devel (Fedora), or set LIBCLANG_PATH to the folder it is in.])
  fi
  AC_MSG_RESULT([$FERRITE_LIBCLANG])
  if test -z "$FERRITE_CLANG"; then
    AC_MSG_ERROR([clang was not found: its own header files are needed to read those of PHP. Install the package clang.])
  fi

  dnl The sources may be symbolic links to a checkout elsewhere: cargo is called in the real place.
  FERRITE_CONFIG_M4=`readlink -f "$abs_srcdir/config.m4"`
  FERRITE_ROOT=`dirname "$FERRITE_CONFIG_M4"`

  dnl Another PHP than the one in PATH must be named to the build as well.
  FERRITE_ENVIRONMENT=
  if test "$PHP_CONFIG" != "php-config"; then
    FERRITE_PHP_CONFIG=`command -v "$PHP_CONFIG"`
    FERRITE_ENVIRONMENT="PHP='$PHP_EXECUTABLE' PHP_CONFIG='$FERRITE_PHP_CONFIG'"
  fi

  PHP_SUBST([CARGO])
  PHP_SUBST([FERRITE_ROOT])
  PHP_SUBST([FERRITE_ENVIRONMENT])
  PHP_MODULES="$PHP_MODULES \$(phplibdir)/ferrite.la"
  PHP_ADD_BUILD_DIR([modules])
  PHP_ADD_MAKEFILE_FRAGMENT([$abs_srcdir/Makefile.frag])
fi
