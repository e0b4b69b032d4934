/** One of the customer's monitors: its position and size in the whole picture, in pixels. */
export type Monitor = { x: number; y: number; width: number; height: number };

/** The choices of the menu: all monitors, then each, from left to right and from top to bottom. */
export function choices(monitors: Monitor[]): { label: string; monitor: Monitor | null }[] {
  if (monitors.length < 2) return [];
  const ordered = monitors.toSorted((a, b) => a.x - b.x || a.y - b.y);
  return [
    { label: 'All screens', monitor: null },
    ...ordered.map((monitor, index) => ({
      label: `Screen ${index + 1} (${monitor.width} × ${monitor.height})`,
      monitor,
    })),
  ];
}

/** Whether both are the same area. */
export function same(a: Monitor | null, b: Monitor | null): boolean {
  if (!a || !b) return a === b;
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
}

/** Reads the body of an ExtendedDesktopSize rectangle (RFB, "ExtendedDesktopSize Pseudo-encoding"). */
export function monitorsOf(bytes: Uint8Array): Monitor[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: view.getUint8(0) }, (_, index) => {
    const at = 4 + index * 16;
    return {
      x: view.getUint16(at + 4),
      y: view.getUint16(at + 6),
      width: view.getUint16(at + 8),
      height: view.getUint16(at + 10),
    };
  }).filter(({ width, height }) => width > 0 && height > 0);
}
