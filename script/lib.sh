# Shared by the scripts in this folder. Source it; it changes nothing by itself.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# A fresh rustup writes PATH into the shell's profile only: find cargo without a new login.
if ! command -v cargo >/dev/null 2>&1 && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
else
    bold='' red='' green='' yellow='' plain=''
fi

# Where cargo puts what it builds.
target_dir=${CARGO_TARGET_DIR:-$root/target}
case $target_dir in
/*) ;;
*) target_dir=$root/$target_dir ;;
esac
library=$target_dir/release/libferrite.so

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "${yellow}warning:${plain} $*" >&2; }
die() {
    printf '%s\n' "${red}error:${plain} $*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Prints the comment at the top of a script, which is its help.
help_of() { sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$1"; }

build_release() {
    (cd "$root" && cargo build --release --locked --package ferrite)
}

# What the checks need and Debian does not have: h2spec, and a client in Go. Versions are pinned in
# script/checks/go; everything that Go keeps stays in the target folder.
go_tools=$target_dir/go/bin
build_go_tools() {
    (
        cd "$root/script/checks/go" || exit
        export GOPATH=$target_dir/go GOCACHE=$target_dir/go/cache GOFLAGS='-mod=readonly -modcacherw'
        mkdir -p "$go_tools" &&
            go build -o "$go_tools/" github.com/summerwind/h2spec/cmd/h2spec ./client
    )
}

# The arguments that make php load the extension that was built here, once, whatever php.ini says.
php_arguments() {
    php_args=(-d "extension=$library")
    if php -m 2>/dev/null | grep -x ferrite >/dev/null; then
        php_args=(-n "${php_args[@]}")
    fi
}
