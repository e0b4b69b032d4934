import './passkey.css';
import { consoleApi } from './consoleApi';
import { Flow } from './flow';
import { official } from './passkeys';
import { drawInto } from './view';

const root = document.querySelector('main');
const state = location.hash.slice(1);
// Nothing usable stays in the address bar and the history.
history.replaceState(null, '', location.pathname);
if (root) void new Flow(state, consoleApi(fetch.bind(window)), official(), drawInto(root)).begin();
