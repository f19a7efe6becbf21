// The rows of trunks, pools, calls and what came up.
import { attr, cells, clock, delay, el, filled, interval, percent, span, text, whole } from './dom.js';
import { openCall } from './explain.js';
import { drain, drill, openPool } from './orders.js';

let now = Date.now(); // of the latest snapshot
export const setNow = t => { now = t; };

// The signs of health differ in form, not in colour alone.
const signs = {
  up: ['●', 'ok'], suspect: ['◐', 'warn'], probing: ['◔', 'warn'], ramping: ['◕', 'warn'], suspended: ['◌', 'warn'], held: ['■', 'warn'],
  out: ['○', 'bad'],
};
export function healthOf(t) {
  if (t.state === 'draining') return ['▽', 'draining', 'warn'];
  if (t.state === 'out' || t.state === 'staged') return ['▢', t.state === 'out' ? 'taken out' : 'staged', 'none'];
  const [sign, level] = signs[t.health] || ['●', 'none'];
  return [sign, t.state === 'canary' && t.health === 'up' ? 'on trial' : t.health, level];
}
function level(share) { return share >= 0.95 ? 'bad' : share >= 0.8 ? 'warn' : 'ok'; }

export function makeTrunk(t) {
  const row = cells('', 'Health', 'ASR', 'PDD p50 / p95', 'Channels', 'Calls/s', '');
  const [name, health, , pdd, , , orders] = row.cell;
  name.append(el('b', { text: t.name }), row.carrier = el('span', { class: 'sub' }));
  health.append(row.health = el('span', { class: 'health' }), row.why = el('span', { class: 'why' }));
  pdd.className = 'num';
  const button = (label, f) => el('button', { type: 'button', text: label, 'aria-label': label + ' ' + t.name, on: () => f(row.item) });
  orders.append(el('div', { class: 'orders' }, row.drill = button('Drill', drill), row.drain = button('Drain', drain)));
  return row;
}
export function updateTrunk(row, t) {
  const [, , asr, pdd, channels, cps] = row.cell;
  text(row.carrier, t.carrier === t.name ? '' : t.carrier);
  const [sign, word, lvl] = healthOf(t);
  text(row.health, sign + ' ' + word);
  attr(row.health, 'data-level', lvl);
  const since = t.since && word !== 'up' ? `for ${span((now - t.since) / 1000)}` : '';
  const orders = t.orders.map(o => o.what + (o.until ? ` until ${clock(o.until)}` : ''));
  text(row.why, [t.why, since, ...t.groups, ...orders].filter(Boolean).join(' · '));
  interval(asr, t.kpi?.asr);
  text(pdd, delay(t.kpi));
  const free = t.ceiling < 0;
  filled(channels, free ? whole(t.use) : `${t.use} / ${t.ceiling}`, free ? 'no limit' : t.blocked ? `${whole(t.blocked)} blocked` : `peak ${t.peak}`,
    free ? null : t.use / Math.max(1, t.ceiling), level(t.use / Math.max(1, t.ceiling)));
  filled(cps, t.limit < 0 ? String(t.cps) : `${t.cps} / ${t.limit}`, t.limit < 0 ? 'no limit' : 'last second', t.limit < 0 ? null : t.cps / Math.max(1, t.limit),
    level(t.cps / Math.max(1, t.limit)));
  const back = t.state === 'draining' || t.state === 'out' || t.state === 'staged';
  const label = back ? 'Return' : 'Drain';
  text(row.drain, label);
  attr(row.drain, 'aria-label', label + ' ' + t.name);
  const drilling = t.orders.some(o => o.drill);
  text(row.drill, drilling ? 'End drill' : 'Drill');
  attr(row.drill, 'aria-label', (drilling ? 'End drill of ' : 'Drill ') + t.name);
}

export function makePool(p) {
  const row = cells('', 'Numbers', 'ASR', 'PDD p50 / p95', 'Ready', 'Waiting', 'Resting', 'Risk', '');
  row.cell[0].append(el('b', { text: p.name }), row.program = el('span', { class: 'sub' }));
  for (const i of [3, 4, 5, 6]) row.cell[i].className = 'num';
  row.cell[8].append(el('div', { class: 'orders' }, el('button', { type: 'button', text: 'Numbers', 'aria-label': 'Numbers of ' + p.name, on: () => openPool(p.name) })));
  return row;
}
export function updatePool(row, p) {
  const c = row.cell;
  text(row.program, p.program === p.name ? '' : p.program);
  text(c[1], Object.entries(p.states).sort().map(([s, n]) => `${whole(n)} ${s}`).join(', ') || 'none');
  interval(c[2], p.kpi?.asr);
  text(c[3], delay(p.kpi));
  text(c[4], whole(p.ready)); text(c[5], whole(p.waiting)); text(c[6], whole(p.resting));
  filled(c[7], percent(p.risk), p.risk >= 0.5 ? 'high' : p.risk >= 0.2 ? 'raised' : 'low', p.risk, p.risk >= 0.5 ? 'bad' : p.risk >= 0.2 ? 'warn' : 'ok');
}

// ---- lists ----
const levels = { bad: '▲ ', warn: '△ ', ok: '✓ ' };
export function makeItem() {
  const li = el('li');
  li.append(li.when = el('span', { class: 'when' }), li.head = el('b'), li.body = el('span', { class: 'sub' }));
  return li;
}
export function item(li, lvl, head, body, when) {
  text(li.when, when); text(li.head, (levels[lvl] || '') + head); attr(li.head, 'data-level', lvl); text(li.body, body);
}

export function makeCall(c) {
  const row = el('tr');
  row.cell = [0, 1, 2, 3].map(() => { const td = el('td'); row.append(td); return td; });
  row.open = el('button', { type: 'button', class: 'open', text: c.to || c.id, 'aria-label': `Explain the call to ${c.to || c.id}`, on: () => openCall(row.item) });
  row.cell[0].append(row.open);
  row.cell[3].className = 'num';
  return row;
}
export function updateCall(row, c) {
  text(row.cell[1], c.trunk || '–');
  text(row.cell[2], c.code ? `${c.code}${c.attempts > 1 ? ` · ${c.attempts} legs` : ''}` : c.state + (c.attempts > 1 ? ` · ${c.attempts} legs` : ''));
  text(row.cell[3], span(((c.ended || now) - c.began) / 1000));
}
