import './passkey.css';
import { consoleApi } from './consoleApi';
import { Flow } from './flow';
import { official } from './passkeys';
import { drawInto } from './view';

const root = document.querySelector('main');
const state = location.hash.slice(1);
// Who looks at the address bar or the history later finds nothing to use.
history.replaceState(null, '', location.pathname);
if (root) void new Flow(state, consoleApi(fetch.bind(window)), official(), drawInto(root)).begin();
