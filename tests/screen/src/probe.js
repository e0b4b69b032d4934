// Looks at the screen in the page, after each time that something is drawn on its visible canvas.
const screen = () => [...document.querySelectorAll('canvas')].find(
  (canvas) => canvas.id !== 'still' && !canvas.closest('#clip-picture'),
);
const painter = CanvasRenderingContext2D.prototype;
const hooks = new Set();

if (!painter.probed) {
  painter.probed = true;
  for (const name of ['drawImage', 'putImageData', 'fillRect']) {
    const plain = painter[name];
    painter[name] = function (...how) {
      plain.apply(this, how);
      if (this.canvas.isConnected) window.probe.drawn(this.canvas);
    };
  }
}

const colour = (x, y) => [...screen().getContext('2d').getImageData(x, y, 1, 1).data.slice(0, 3)];
const same = (a, b) => a.every((value, place) => Math.abs(value - b[place]) < 24);

// The subject writes the number of its frame in sixteen blocks, at the bottom left.
const frame = () => {
  const canvas = screen();
  const row = canvas.getContext('2d').getImageData(0, canvas.height - 8, 256, 1).data;
  let number = 0;
  for (let bit = 0; bit < 16; bit += 1) number = number * 2 + (row[(bit * 16 + 8) * 4] > 127 ? 1 : 0);
  return number;
};

window.probe = {
  colour,
  frame,
  inPage(x, y) {
    const canvas = screen();
    const shown = canvas.getBoundingClientRect();
    const at = (place, from, long, pixels) => Math.round(from + ((place + 0.5) * long) / pixels);
    return [at(x, shown.left, shown.width, canvas.width), at(y, shown.top, shown.height, canvas.height)];
  },
  drawn(on) {
    if (on === screen()) for (const hook of hooks) hook();
  },
  press(x, y) {
    const before = colour(x, y);
    return new Promise((done) => {
      const key = (kind) =>
        screen().dispatchEvent(new KeyboardEvent(kind, { key: 'a', code: 'KeyA', bubbles: true, cancelable: true }));
      const began = performance.now();
      const look = () => {
        if (same(before, colour(x, y))) return;
        hooks.delete(look);
        done(performance.now() - began);
      };
      hooks.add(look);
      key('keydown');
      key('keyup');
    });
  },
  frames(time) {
    const seen = new Set();
    const look = () => seen.add(frame());
    const began = performance.now();
    hooks.add(look);
    return new Promise((done) => {
      setTimeout(() => {
        hooks.delete(look);
        done((seen.size * 1000) / (performance.now() - began));
      }, time);
    });
  },
};
