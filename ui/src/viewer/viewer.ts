import {
  $,
  chatForm,
  meet,
  showPeople,
  showValid,
  type Line,
} from '../../../crates/broker/src/pages/parts.js';
import { Desk } from './desk';
import { type Facts, type Role, rosterOf, rowsOf, sceneOf } from './scene';
import { Side } from './side';
import { Stream } from './stream';
import { CHAT, type Way } from './way';

/** How often the quality is looked at and told. */
const QUALITY_EVERY_MS = 2000;

/** The page: what the live connection tells becomes words, and a stream while there is a screen. */
export class Viewer {
  private facts: Facts = { online: false, over: false, roster: null, flow: { is: 'off' }, seen: false };
  private role: Role;
  private key: string | null = null;
  /** This page, as the others know it. */
  private you = '';
  private readonly side: Side;
  private readonly desk: Desk;
  private readonly stream: Stream;
  private readonly name: () => string;
  private readonly line: Line;

  constructor(private readonly way: Way) {
    this.role = way.readOnly ? 'watch' : 'control';
    this.side = new Side(() => {
      this.desk.focus();
    });
    this.desk = new Desk(way.app, {
      onEnded: () => {
        this.stream.ended();
      },
      onPicture: () => {
        this.stream.works();
        this.side.makeRoom();
        this.change({ flow: { is: 'open' }, seen: true });
      },
      onSnapshot: () => this.line.send({ type: 'snapshot' }),
      onChat: () => {
        this.side.toggle();
      },
    });
    this.stream = new Stream({
      onOpening: () => {
        this.change({ flow: { is: 'opening' } });
      },
      onJoined: (socket, role) => {
        this.desk.attach(socket);
        this.allow(role);
      },
      onLost: (why) => {
        this.desk.detach();
        this.change({ flow: { is: 'lost', why } });
      },
    });
    this.name = chatForm(() => this.line, 'viewer-name', way.name);
    history.replaceState(null, '', way.link);
    $('over-back').hidden = way.app;
    this.allow(this.role);
    this.draw();
    this.line = this.dial();
    setInterval(() => {
      this.tellQuality();
    }, QUALITY_EVERY_MS);
    if (way.chat) this.side.showChat();
  }

  private dial(): Line {
    const { proof, readOnly } = this.way;
    return meet({
      hello: () => ({ ...proof, side: 'viewers', name: this.name(), ro: readOnly }),
      onState: (state) => {
        if (state !== 'online') this.away();
      },
      onOnline: (welcome) => {
        showValid(Number(welcome['expires']));
        this.key = typeof welcome['watch_key'] === 'string' ? welcome['watch_key'] : null;
        this.you = String(welcome['you']);
        const role = welcome['role'];
        if (role === 'watch' || role === 'control') this.allow(role);
        $('trust').hidden = welcome['sealed'] === true || this.way.app;
        this.change({ online: true });
      },
      onRoster: (told) => {
        this.change({ roster: rosterOf(told) });
      },
      onChat: () => {
        this.side.came();
      },
      onOther: ({ type, words }) => {
        if (type === 'words' && typeof words === 'string') this.desk.showWords(words);
      },
      onEnd: () => {
        this.change({ over: true });
        showPeople([{ name: 'You', word: 'Not connected', here: false }]);
      },
      onHash: () => this.backToChat(),
    });
  }

  /** The live connection is gone, and with it the key of the screen. */
  private away(): void {
    this.key = null;
    this.change({ online: false, flow: { is: 'off' } });
  }

  /** `#chat` asks for the chat of the session that is open, so the link takes its place again. */
  private backToChat(): boolean {
    if (location.hash !== CHAT) return false;
    history.replaceState(null, '', this.way.link);
    this.side.showChat();
    return true;
  }

  private allow(role: Role): void {
    this.role = role;
    $('readonly').hidden = role !== 'watch';
    this.desk.mayControl(role === 'control', this.facts.roster?.sharing === 'paused');
  }

  private change(facts: Partial<Facts>): void {
    this.facts = { ...this.facts, ...facts };
    const { online, over, roster } = this.facts;
    const there = online && !over && roster !== null && roster.sharing !== 'none';
    if (!there) this.desk.detach();
    this.draw();
    // Last, since it changes the facts in its turn.
    this.stream.want(there ? this.key : null);
  }

  private draw(): void {
    const { roster } = this.facts;
    this.desk.showScene(sceneOf(this.facts));
    this.desk.mayControl(this.role === 'control', roster?.sharing === 'paused');
    if (!roster || this.facts.over) return;
    showPeople(rowsOf(roster, this.you, this.name()));
    const title = roster.presenter ? `Session with ${roster.presenter}` : 'Support session';
    $('title').textContent = document.title = title;
  }

  private tellQuality(): void {
    const quality = this.desk.look();
    if (quality?.latency == null) return;
    this.line.send({ type: 'quality', latency_ms: quality.latency, fps: quality.fps });
  }
}
