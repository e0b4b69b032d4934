#!/usr/bin/env bash
# Makes the debs of the servers out of programs that are built already:
#   cargo build --locked --release -p deskhand-broker -p deskhand-sandbox -p deskhand-presenter
#   scripts/server-debs.sh target/release OUTPUT_FOLDER
set -euo pipefail

BUILT=$(realpath "${1:?the folder with the built programs}")
OUT=$(realpath -m "${2:?the folder to write the debs to}")
cd "$(dirname "$0")/.."
VERSION=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
ARCH=$(dpkg --print-architecture)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

# What every server's package has: program, manual page, completions, unit, copyright and changes.
stage() {
  local name=$1 root=$WORK/$1
  install -D -m 0755 "$BUILT/$name" "$root/usr/bin/$name"
  [ -z "${STRIP-1}" ] || strip --strip-unneeded "$root/usr/bin/$name"
  install -D -m 0644 "packaging/$name.service" "$root/usr/lib/systemd/system/$name.service"
  install -d "$root"/usr/share/{man/man1,bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
  install -d "$root/usr/share/doc/$name" "$root/DEBIAN"
  "$BUILT/$name" man "$root/usr/share/man/man1"
  "$BUILT/$name" completions bash >"$root/usr/share/bash-completion/completions/$name"
  "$BUILT/$name" completions zsh >"$root/usr/share/zsh/vendor-completions/_$name"
  "$BUILT/$name" completions fish >"$root/usr/share/fish/vendor_completions.d/$name.fish"
  gzip -9nc CHANGELOG.md >"$root/usr/share/doc/$name/changelog.gz"
  cat LICENSE-MIT - LICENSE-APACHE <<<"Or, at your choice:" >"$root/usr/share/doc/$name/copyright"
}

# The fields of the package, and what is done when it comes and goes. It starts nothing by itself: first it is set up.
describe() {
  local name=$1 summary=$2 conffile=$3 root=$WORK/$1
  gzip -9n "$root"/usr/share/man/man1/*.1
  find "$root/usr" "$root/etc" -type f -exec chmod go=rX {} +
  find "$root" -type d -exec chmod 0755 {} +
  cat >"$root/DEBIAN/control" <<END
Package: $name
Version: $VERSION
Architecture: $ARCH
Maintainer: Deskhand <root@localhost>
Depends: libc6 (>= 2.34), libgcc-s1, libssl3
Section: net
Priority: optional
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Description: $summary
 Set it up in $conffile, then: systemctl enable --now $name
END
  echo "$conffile" >"$root/DEBIAN/conffiles"
  cat >"$root/DEBIAN/postinst" <<END
#!/bin/sh
set -e
if [ "\$1" = configure ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  # After an update the new program takes over; one that doesn't run stays so.
  systemctl try-restart $name.service
fi
END
  cat >"$root/DEBIAN/prerm" <<END
#!/bin/sh
set -e
if [ "\$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl disable --now $name.service
fi
END
  cat >"$root/DEBIAN/postrm" <<END
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
fi
if [ "\$1" = purge ]; then
  rm -rf /var/lib/private/$name /var/lib/$name
fi
END
  chmod 0755 "$root"/DEBIAN/{postinst,prerm,postrm}
  dpkg-deb --root-owner-group --build "$root" "$OUT/${name}_${VERSION}_$ARCH.deb"
}

mkdir -p "$OUT"
stage deskhand-broker
install -D -m 0644 packaging/broker.toml "$WORK/deskhand-broker/etc/deskhand/broker.toml"
install -D -m 0755 "$BUILT/deskhand-presenter" \
  "$WORK/deskhand-broker/usr/share/deskhand-broker/programs/deskhand-presenter-linux-$(uname -m)"
# Of the program that the broker hands out: whoever runs the broker reads there what its customers can be told.
"$BUILT/deskhand-presenter" --manual >"$WORK/deskhand-broker/usr/share/man/man1/deskhand-presenter.1"
describe deskhand-broker "self-hosted broker for remote support" /etc/deskhand/broker.toml

stage deskhand-sandbox
install -D -m 0644 packaging/sandbox.env "$WORK/deskhand-sandbox/etc/deskhand/sandbox.env"
describe deskhand-sandbox "stand-ins of the services that verify people, to try and test with" /etc/deskhand/sandbox.env
