// As the shell does before the page's first script (`freezePrototype`). To be imported before anything else.
Object.freeze(Object.prototype);
