# Makes the Python environment in .venv and installs into it. Sourced by the scripts beside it; not run by itself.
# What is installed is written down in .venv, so that the second time there is nothing to do.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
unset VIRTUAL_ENV PYTHONHOME PYTHONPATH
unset PYTHONDONTWRITEBYTECODE  # compiled once, as wherever it is installed: tests start it hundreds of times

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

is_root() { [ "$(id -u)" = 0 ]; }

# Debian packages: installed where we are root, told where we are not.
apt_packages() {
    if is_root && command -v apt-get >/dev/null; then
        say "installing by apt: $*"
        export DEBIAN_FRONTEND=noninteractive
        [ -n "${apt_updated-}" ] || apt-get update -qq >&2
        apt_updated=yes
        apt-get install -y -qq --no-install-recommends "$@" >&2
    else
        say "missing, and only root can install it: apt-get install $*"
        return 1
    fi
}

suits() { "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; }

# A Python that Innkeeper runs on and that can make environments; printed. Nothing where there is none.
find_python() {
    local name
    for name in ${PYTHON-} python3.13 python3.12 python3.11 python3; do
        if command -v "$name" >/dev/null && suits "$name"; then
            command -v "$name"
            return
        fi
    done
}

make_venv() {
    local python
    if [ -x "$root/.venv/bin/python" ] && "$root/.venv/bin/python" -c '' 2>/dev/null; then
        return
    fi
    rm -rf "$root/.venv"
    python="$(find_python)"
    if [ -n "$python" ]; then
        say "making .venv with $python"
        "$python" -m venv "$root/.venv"
    elif command -v uv >/dev/null; then
        say "making .venv with a Python that uv brings"
        uv venv --quiet --seed --python '>=3.11,<3.14' "$root/.venv"
    else
        apt_packages python3 python3-venv ||
            { say "Python 3.11, 3.12 or 3.13 with venv is needed; on Debian: apt-get install python3 python3-venv"; return 1; }
        python="$(find_python)"
        [ -n "$python" ] || { say "the Python of this system is too old or too new: 3.11 to 3.13 is needed"; return 1; }
        "$python" -m venv "$root/.venv"
    fi
}

# install NAME ARGUMENT...: pip's arguments, carried out once for each state of pyproject.toml.
install() {
    local name="$1" mark state
    shift
    make_venv
    mark="$root/.venv/installed-$name"
    state="$(cksum "$root/pyproject.toml") $*"
    if [ "$(cat "$mark" 2>/dev/null)" = "$state" ]; then
        return
    fi
    say "installing into .venv (once)"
    if command -v uv >/dev/null && uv pip install --help 2>/dev/null | grep -q -- --group; then
        (cd "$root" && uv pip install --quiet --python .venv/bin/python "$@")
    else
        # pip reads dependency groups since 25.1
        (cd "$root" && .venv/bin/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1')
        (cd "$root" && .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@")
    fi
    printf '%s\n' "$state" >"$mark"
}

install_server() { install server -e '.[server]'; }

install_dev() { install dev -e '.[server,postgres,ssh]' --group dev; }

# Node, which pyright and the tests of the vendor's own SDK run on.
install_node() {
    local missing=()
    command -v node >/dev/null || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
    [ ${#missing[@]} = 0 ] || apt_packages "${missing[@]}"
}
