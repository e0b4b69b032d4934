#!/usr/bin/env bash
# Writes what the console's package has of its command line, for a program that is built already: manual pages and
# completions, where tauri.conf.json takes them from.
#   scripts/console-help.sh target/release
set -euo pipefail

BUILT=$(realpath "${1:?the folder with the built program}")
OUT=$BUILT/help
rm -rf "$OUT"
mkdir -p "$OUT/man1"
"$BUILT/deskhand" man "$OUT/man1"
gzip -9n "$OUT"/man1/*.1
for shell in bash zsh fish; do
  "$BUILT/deskhand" completions "$shell" >"$OUT/deskhand.$shell"
done
