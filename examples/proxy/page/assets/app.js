// The page of the proxy: a stream of snapshots, and where each of their figures stands.
import { $, attr, clock, counted, delay, percent, rescale, rows, text, whole } from './dom.js';
import { askToken, hasToken, headers, link, onToken, say, sinceSaid, store } from './api.js';
import { points, redraw, setHistory } from './plots.js';
import { healthOf, item, makeCall, makeItem, makePool, makeTrunk, setNow, updateCall, updatePool, updateTrunk } from './tables.js';

// ---- the stream of figures ----
let attempt = 0, running = null, retry = 0;
async function connect() {
  clearTimeout(retry);
  if (running) running.abort();
  const ctl = running = new AbortController();
  try {
    const res = await fetch('/page/stream', { headers: headers(), signal: ctl.signal, cache: 'no-store' });
    if (res.status === 401) {
      askToken(hasToken() ? 'The proxy does not know this token.' : '');
      link('bad', 'token required');
      return;
    }
    if (!res.ok) throw new Error('status ' + res.status);
    attempt = 0;
    const reader = res.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ''; ;) {
      const { value, done } = await reader.read();
      if (done) break;
      rest += value;
      for (let end; (end = rest.indexOf('\n\n')) >= 0; rest = rest.slice(end + 2)) event(rest.slice(0, end));
    }
    throw new Error('the stream ended');
  } catch (err) {
    if (ctl !== running) return; // another connection took its place
    if (attempt++ === 0) say('The connection to the proxy is lost. It is tried again.');
    link('bad', 'no connection');
    document.body.classList.add('stale');
    retry = setTimeout(connect, Math.min(10000, 500 * 2 ** attempt));
  }
}
function event(block) {
  let kind = 'message', data = '';
  for (const line of block.split('\n')) {
    if (line.startsWith('event: ')) kind = line.slice(7);
    else if (line.startsWith('data: ')) data += line.slice(6);
  }
  if (!data) return;
  const v = JSON.parse(data);
  if (kind === 'hello') hello(v);
  else if (kind === 'state') state(v);
}

// ---- a snapshot ----
// either shows a list, or the sentence beside it that says that there is nothing.
function either(id, list) {
  $(id).hidden = !list.length;
  $('no-' + id).hidden = list.length > 0;
}
let last = null, held = false, recent = false;
let worst = new Map();
function hello(h) {
  text($('policy'), h.policy ? 'policy ' + h.policy.slice(0, 8) : '');
  text($('window'), 'over the last ' + h.window);
  setHistory(h.history);
  document.body.classList.remove('stale');
  for (const [k, i] of Object.entries({ 'c-live': false, 'c-recent': true })) $(k).onclick = () => { recent = i; shown(); };
}
function state(s) {
  setNow(s.t); last = s;
  link(s.draining ? 'warn' : 'ok', s.draining ? 'draining' : 'live');
  const up = s.trunks.filter(t => t.health === 'up' && (t.state === 'live' || t.state === 'canary')).length;
  text($('f-live'), whole(s.live)); text($('f-cps'), s.cps.toFixed(s.cps < 10 ? 1 : 0));
  text($('f-asr'), percent(s.kpi?.asr?.v)); text($('f-pdd'), delay(s.kpi) + (s.kpi?.p50 != null ? ' s' : ''));
  text($('f-answered'), whole(s.answered)); text($('f-refused'), whole(s.refused));
  text($('f-up'), `${up} / ${s.trunks.length}`);
  attr($('f-up'), 'data-level', up === s.trunks.length ? 'none' : up ? 'warn' : 'bad');
  rescale(s);
  rows($('trunks').tBodies[0], s.trunks, t => t.name, makeTrunk, updateTrunk);
  either('pools', s.pools);
  rows($('pools').tBodies[0], s.pools, p => p.name, makePool, updatePool);
  rows($('incidents'), s.incidents, i => i.key, makeItem, (li, i) => item(li, i.level, i.head, i.body, clock(i.t)));
  either('incidents', s.incidents);
  rows($('failovers'), s.failovers, f => `${f.from} ${f.to} ${f.why}`, makeItem,
    (li, f) => item(li, f.to ? 'none' : 'bad', `${f.from} → ${f.to || 'nobody left'}`, `${f.why} · ${counted(f.n, 'call')}`, clock(f.t)));
  either('failovers', s.failovers);
  if (!held) calls();
  announce(s);
  points(s);
}
function calls() {
  const list = recent ? last.recent : last.calls;
  rows($('calls').tBodies[0], list, c => c.id, makeCall, updateCall);
  either('calls', list);
}
function shown() {
  attr($('c-live'), 'aria-pressed', String(!recent)); attr($('c-recent'), 'aria-pressed', String(recent));
  if (last) calls();
}
$('c-hold').addEventListener('click', () => { held = !held; attr($('c-hold'), 'aria-pressed', String(held)); if (!held && last) calls(); });

// announce tells a screen reader of trunks that change between good and bad, and not of figures that move.
function announce(s) {
  const next = new Map(s.trunks.map(t => [t.name, healthOf(t)[1]])), told = [];
  for (const [name, word] of next) {
    const before = worst.get(name);
    if (before !== undefined && before !== word) told.push(`${name} is ${word}`);
  }
  if (told.length && sinceSaid() < 3000) return; // the next snapshot tells it
  worst = next;
  if (told.length) say(told.join(', '));
}

// ---- colours ----
const themes = ['', 'light', 'dark'], themeNames = { '': ['Auto', 'as the system'], light: ['Light', 'light'], dark: ['Dark', 'dark'] };
function theme(t) {
  if (t) document.documentElement.dataset.theme = t; else delete document.documentElement.dataset.theme;
  text($('theme'), themeNames[t][0]); attr($('theme'), 'aria-label', 'Colours: ' + themeNames[t][1]);
  store.set('theme', t);
  redraw();
}
$('theme').addEventListener('click', () => theme(themes[(themes.indexOf(document.documentElement.dataset.theme || '') + 1) % 3]));
theme(themes.includes(store.get('theme')) ? store.get('theme') : '');
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);

onToken(connect);
connect();
