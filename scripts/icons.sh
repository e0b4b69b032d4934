#!/usr/bin/env bash
# Renders every bitmap in icons/ from icons/deskhand.svg; needed only after the drawing changed.
# The tray's badge says with its place and shape, not by colour alone, what the tooltip says in words.
set -euo pipefail
cd "$(dirname "$0")/../icons"

badged() { # badged NAME BADGE: the drawing with BADGE (SVG) on top, as tray-NAME.png
  sed "s|</svg>|$2</svg>|" deskhand.svg | rsvg-convert -w 64 -h 64 -o "tray-$1.png"
}

for size in 32 128; do rsvg-convert -w $size -h $size deskhand.svg -o "${size}x$size.png"; done
rsvg-convert -w 256 -h 256 deskhand.svg -o 128x128@2x.png
rsvg-convert -w 512 -h 512 deskhand.svg -o icon.png

badged idle ''
badged active '<circle cx="396" cy="116" r="100" fill="#0a1f26"/><circle cx="396" cy="116" r="80" fill="#3ddc97"/>'
badged attention '<circle cx="396" cy="116" r="112" fill="#0a1f26"/><path d="M396 22 L496 196 H296 Z" fill="#ffb938" stroke="#ffb938" stroke-width="24" stroke-linejoin="round"/><path d="M396 76 V136 M396 170 V172" stroke="#0a1f26" stroke-width="30" stroke-linecap="round"/>'
