import './page.css';
import { deskhand } from './door';
import { Flow } from './flow';
import { official } from './passkeys';
import { stage } from './stage';

const root = document.querySelector('main');
const state = location.hash.slice(1);
// Who looks at the address bar or the history later finds nothing to use.
history.replaceState(null, '', location.pathname);
if (root) void new Flow(state, deskhand(fetch.bind(window)), official(), stage(root)).begin();
