// Nothing may add to Object.prototype or change it: what one library does wrong must not reach the others.
// tauri's own freezePrototype does this too, but it also stops a library from giving an object of its own a property
// such as `constructor` (d3-color does), since a frozen property of a prototype can't be overridden by assignment.
// Here each property becomes an accessor whose setter defines the property on the object that was meant.
(() => {
  const prototype = Object.prototype;
  const { defineProperty, freeze, getOwnPropertyDescriptor, getOwnPropertyNames } = Object;
  for (const name of getOwnPropertyNames(prototype)) {
    const { value, configurable, writable } = getOwnPropertyDescriptor(prototype, name);
    if (!configurable || !writable) continue;
    defineProperty(prototype, name, {
      get: () => value,
      set(own) {
        if (this === prototype) throw new TypeError(`Object.prototype.${name} is read-only`);
        defineProperty(this, name, { value: own, writable: true, enumerable: true, configurable: true });
      },
      enumerable: false,
      configurable: false,
    });
  }
  freeze(prototype);
})();
