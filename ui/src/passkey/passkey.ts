import './passkey.css';
import { consoleApi } from './consoleApi';
import { Flow } from './flow';
import { official } from './passkeys';
import { keptState } from './state';
import { drawInto } from './view';

const root = document.querySelector('main');
const state = keptState(location.hash.slice(1), () => sessionStorage);
// Nothing usable stays in the address bar and the history.
history.replaceState(null, '', location.pathname);
if (root) void new Flow(state, consoleApi(fetch.bind(window)), official(), drawInto(root)).load();
