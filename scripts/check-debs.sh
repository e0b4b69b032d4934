#!/usr/bin/env bash
# Makes the servers' debs out of the programs in a folder and looks at what is in them:
#   scripts/check-debs.sh target/debug
set -euo pipefail

BUILT=$(realpath "${1:?the folder with the built programs}")
cd "$(dirname "$0")/.."
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

fail() {
  echo "check-debs: $1" >&2
  exit 1
}

# A check whose tool is missing has not passed. `./test` sets all of them up.
for tool in dpkg-deb objdump systemd-analyze hadolint; do
  command -v "$tool" >/dev/null || fail "$tool is missing; start ./test, which sets it up, or put it into the PATH"
done

# Unstripped, since stripping debug programs takes longer than everything else here.
STRIP='' scripts/server-debs.sh "$BUILT" "$WORK/debs" >/dev/null

has() {
  tar -tf "$WORK/list" "./$1" >/dev/null 2>&1 || fail "$name lacks $1"
}

for name in deskhand-broker deskhand-sandbox; do
  deb=$(echo "$WORK/debs/${name}_"*.deb)
  dpkg-deb --fsys-tarfile "$deb" >"$WORK/list"
  for path in usr/bin/$name usr/lib/systemd/system/$name.service usr/share/man/man1/$name.1.gz \
    usr/share/bash-completion/completions/$name usr/share/zsh/vendor-completions/_$name \
    usr/share/fish/vendor_completions.d/$name.fish usr/share/doc/$name/{copyright,changelog.gz}; do
    has "$path"
  done
  # Each conffile is in the package, and nobody but root owns or may write anything.
  dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./conffiles | while read -r file; do has "${file#/}"; done
  ! tar -tvf "$WORK/list" | grep -vE '^[-dl]rw[-x]r-[-x]r-[-x] root/root' || fail "$name has the lines above"
  dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./postinst | sh -n
  dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./postrm | sh -n
  [ "$(dpkg-deb -f "$deb" Package)" = "$name" ] || fail "$name names another package"
  tar -xf "$WORK/list" -C "$WORK" ./usr/share/man/man1 "./usr/share/bash-completion/completions/$name"
  for page in "$WORK"/usr/share/man/man1/*.1.gz; do
    page_name=$(basename "$page" .1.gz)
    gzip -dc "$page" | grep -q "^\.TH $page_name 1" || fail "$name's manual page $page_name is none"
    # Each page that this one names under its commands is there as well.
    gzip -dc "$page" | sed -nE 's/^(deskhand[a-z\\-]*)\(1\)$/\1/p' | tr -d '\\' | while read -r named; do
      [ -e "$WORK/usr/share/man/man1/$named.1.gz" ] || fail "$name has no manual page $named, which $page_name names"
    done
  done
  rm -r "$WORK/usr/share/man"
  bash -n "$WORK/usr/share/bash-completion/completions/$name"
  # What it is linked with is what it depends on.
  objdump -p "$BUILT/$name" | awk '$1 == "NEEDED" { print $2 }' | while read -r library; do
    case $library in
      libc.so.6 | libm.so.6 | ld-linux-* | libgcc_s.so.1 | libssl.so.3 | libcrypto.so.3) ;;
      *) fail "$name needs $library, which its package doesn't depend on" ;;
    esac
  done
  # 2.0 of 10, where 10 is a service that may do everything.
  systemd-analyze security --offline=true --threshold=20 "packaging/$name.service" >"$WORK/security" 2>&1 ||
    { tail -n 40 "$WORK/security"; fail "$name's unit is too open"; }
  # In a tree of its own, where the program is where the unit looks for it.
  mkdir -p "$WORK/root/usr/lib/systemd/system"
  tar -xf "$WORK/list" -C "$WORK/root" "./usr/bin/$name" "./usr/lib/systemd/system/$name.service"
  install -D -m 0755 /bin/sh "$WORK/root/bin/sh"
  systemd-analyze verify --root="$WORK/root" --man=no --recursive-errors=no "$name.service" ||
    fail "$name's unit is not valid"
done

# The settings that come with the broker are ones that it takes.
for setting in $(sed -nE 's/^(# )?([a-z_]+) = .*/\2/p' packaging/broker.toml); do
  "$BUILT/deskhand-broker" config | grep -q "^# $setting = " || fail "broker.toml sets $setting, which there isn't"
done
# And those of the sandbox are variables that it knows.
for variable in $(sed -nE 's/^(# )?([A-Z_]+)=.*/\2/p' packaging/sandbox.env); do
  "$BUILT/deskhand-sandbox" --help | grep -q "env: $variable=" || fail "sandbox.env sets $variable, which there isn't"
done
hadolint packaging/Dockerfile
echo "The packages are in order."
