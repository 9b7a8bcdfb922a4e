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
# The profile that the extension is built with and tested in: release, fast (optimised, but not as a
# whole, and incremental) or dev.
profile=${FERRITE_PROFILE:-release}
case $profile in
dev) library=$target_dir/debug/libferrite.so ;;
*) library=$target_dir/$profile/libferrite.so ;;
esac

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "${yellow}warning:${plain} $*" >&2; }
die() {
    printf '%s\n' "${red}error:${plain} $*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Prints the comment at the top of a script, which is its help.
help_of() { sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$1"; }

build_library() {
    (cd "$root" && cargo build --profile "$profile" --locked --package ferrite)
}

# What needs the extension says how it is built when it is not there.
need_library() {
    [ -f "$library" ] ||
        die "$library is missing: run 'cargo build --profile $profile --package ferrite'"
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

# The same command line as JSON, for programs that start servers.
php_command() { php -n -r 'echo json_encode(array_slice($argv, 1));' -- php "${php_args[@]}"; }

# make_python FOLDER REQUIREMENTS ...: a virtual environment FOLDER/venv with these packages and no others.
make_python() {
    local folder=$1
    shift
    mkdir -p "$folder" || die "cannot write to $target_dir"
    cat "$@" | cmp -s - "$folder/installed.txt" && return
    rm -rf "$folder/venv" "$folder/installed.txt"
    python3 -m venv "$folder/venv" || die "python3 makes no virtual environment: run script/setup"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
        "${@/#/--requirement=}" || die "pip could not install what is named in: $*"
    cat "$@" >"$folder/installed.txt"
}

# get_http3 OPTION ... URL: one request by HTTP/3, with options as curl has them. Call need_http3 before.
need_http3() { make_python "$target_dir/http3" "$root/http3-tests/requirements.txt"; }
get_http3() { PYTHONDONTWRITEBYTECODE=1 "$target_dir/http3/venv/bin/python" "$root/http3-tests/get.py" "$@"; }
