import type { Connection } from '../shared/connection';
import { $ } from '../shared/dom';
import { chatForm, type Endings, joinSession, showPeople, showValid } from '../shared/sessionPage';
import { CHAT, type PageAddress } from './pageAddress';
import { RemoteScreen } from './remoteScreen';
import { askedAfter, noticeOf, type Role, rosterOf, rowsOf, type ViewerState } from './screenNotice';
import { ScreenStream } from './screenStream';
import { SidePanel } from './sidePanel';
import { WaitingStrip } from './waiting';
import { wordsOf } from './words';

/** How often the quality is measured and reported. */
const QUALITY_EVERY_MS = 2000;

/** The technician can't ask for a new PIN, as the page's other readers can: they make one. */
const AGAIN = 'Begin a new session in Deskhand if there is more to do.';
const TECHNICIANS_ENDINGS: Endings = {
  revoked: ['The session was ended', `Its PIN no longer works. ${AGAIN}`],
  expired: ["The PIN's time is over", AGAIN],
  unknown: ['This session is no longer valid', `It was ended or its time is over. ${AGAIN}`],
};

/** The viewer's page: shows what the live connection reports, and holds a stream while a screen is shared. */
export class SessionViewer {
  private state: ViewerState = {
    online: false,
    over: false,
    roster: null,
    stream: { is: 'off' },
    seen: false,
    asked: 'no',
  };
  private role: Role;
  private key: string | null = null;
  /** The public half of this page's id, as in the roster. */
  private you = '';
  private readonly side: SidePanel;
  private readonly screen: RemoteScreen;
  private readonly stream: ScreenStream;
  private readonly waiting = new WaitingStrip(
    (viewer, letsIn) => this.connection.send({ type: 'admit', viewer, lets_in: letsIn }),
    () => {
      this.screen.focus();
    },
  );
  private readonly name: () => string;
  private readonly connection: Connection;

  constructor(private readonly address: PageAddress) {
    this.role = address.readOnly ? 'watch' : 'control';
    this.side = new SidePanel(() => {
      this.screen.focus();
    });
    this.screen = new RemoteScreen(address.app, {
      onEnded: () => {
        this.stream.ended();
      },
      onPicture: () => {
        this.stream.resetRetries();
        this.side.makeRoom();
        this.change({ stream: { is: 'open' }, seen: true, asked: 'no' });
      },
      onSnapshot: () => this.connection.send({ type: 'snapshot' }),
      onWordsMatch: (words) => this.connection.send({ type: 'words_match', words }),
      onControl: () => {
        this.screen.detach();
        this.stream.reopen();
      },
      onWordsDiffer: () => {
        const isSent = this.connection.send({ type: 'words_differ' });
        if (isSent) this.connection.end('differ');
        return isSent;
      },
      onChat: () => {
        this.side.toggle();
      },
    });
    this.stream = new ScreenStream({
      onOpening: () => {
        this.change({ stream: { is: 'opening' } });
      },
      onJoined: (socket, role) => {
        this.screen.attach(socket);
        this.allow(role);
      },
      onLost: (why, misfit) => {
        this.screen.detach();
        this.change({ stream: { is: 'lost', why, misfit } });
      },
    });
    this.name = chatForm(() => this.connection, 'viewer-name', address.name);
    history.replaceState(null, '', address.link);
    $('over-back').hidden = address.app;
    this.allow(this.role);
    this.draw();
    this.connection = this.connect();
    setInterval(() => {
      this.reportQuality();
    }, QUALITY_EVERY_MS);
    if (address.chat) this.side.showChat();
  }

  private connect(): Connection {
    const { proof, readOnly } = this.address;
    return joinSession({
      ...(this.address.app ? { endings: TECHNICIANS_ENDINGS } : {}),
      hello: () => ({ ...proof, side: 'viewers', name: this.name(), ro: readOnly }),
      onState: (state) => {
        if (state !== 'online') this.goOffline();
      },
      onOnline: (welcome) => {
        showValid(Number(welcome['expires']));
        this.key = typeof welcome['watch_key'] === 'string' ? welcome['watch_key'] : null;
        this.you = String(welcome['you']);
        const role = welcome['role'];
        if (role === 'watch' || role === 'control') this.allow(role);
        $('trust').hidden = welcome['sealed'] === true || this.address.app;
        this.change({ online: true });
      },
      onRoster: (roster) => {
        // A web page shares no key with the customer's program, so its answer would count for nothing.
        const known = rosterOf(roster);
        if (this.address.app) this.waiting.show(known.waiting);
        this.change({ roster: known, asked: askedAfter(this.state.asked, known, this.you) });
      },
      onChat: () => {
        this.side.countMessage();
      },
      onOther: (message) => {
        const words = message['type'] === 'words' ? wordsOf(message) : null;
        if (words) this.screen.showWords(words);
        if (message['type'] === 'not_admitted') {
          this.waiting.notDone(String(message['challenge']), String(message['text']));
        }
      },
      onEnd: () => {
        this.change({ over: true });
        showPeople([{ name: 'You', word: 'Not connected', here: false }]);
      },
      onHash: () => this.backToChat(),
    });
  }

  /** The live connection is gone, and with it the key of the screen. */
  private goOffline(): void {
    this.key = null;
    this.change({ online: false, stream: { is: 'off' } });
  }

  /** `#chat` only opens the chat of this session, so the session's own link is put back into the address. */
  private backToChat(): boolean {
    if (location.hash !== CHAT) return false;
    history.replaceState(null, '', this.address.link);
    this.side.showChat();
    return true;
  }

  private allow(role: Role): void {
    this.role = role;
    $('readonly').hidden = role !== 'watch';
    this.screen.mayControl(role === 'control', this.state.roster?.sharing === 'paused');
  }

  private change(changes: Partial<ViewerState>): void {
    this.state = { ...this.state, ...changes };
    const { online, over, roster } = this.state;
    const there = online && !over && roster !== null && roster.sharing !== 'none';
    if (!there) this.screen.detach();
    this.draw();
    // Comes last, because it changes the state itself.
    this.stream.setKey(there ? this.key : null);
  }

  private draw(): void {
    const { roster } = this.state;
    this.screen.showNotice(noticeOf(this.state));
    this.screen.mayControl(this.role === 'control', roster?.sharing === 'paused');
    if (!roster || this.state.over) return;
    showPeople(rowsOf(roster, this.you));
    // In the app the window has the session's name, which the technician gave it.
    if (this.address.app) return;
    const title = roster.presenter ? `Session with ${roster.presenter}` : 'Support session';
    $('title').textContent = document.title = title;
  }

  private reportQuality(): void {
    const quality = this.screen.measureQuality();
    if (quality?.latency == null) return;
    this.connection.send({ type: 'quality', latency_ms: quality.latency, fps: quality.fps });
  }
}
