// Orders to the proxy: each is asked for, with who and why.
import { $, attr, cells, el, rows, text } from './dom.js';
import { api, part, store, toast } from './api.js';

let pending = null;
export function order(o) {
  pending = o;
  text($('t-order'), o.title); text($('x-order'), o.about); text($('go-order'), o.verb); text($('e-order'), '');
  $('go-order').classList.toggle('danger', !!o.danger);
  $('r-share').hidden = !o.timed;
  $('o-actor').value = store.get('actor');
  $('o-reason').value = '';
  $('d-order').showModal();
  ($('o-actor').value ? $('o-reason') : $('o-actor')).focus();
}
$('d-order').querySelector('form').addEventListener('submit', async e => {
  e.preventDefault();
  const o = pending, body = { actor: $('o-actor').value.trim(), reason: $('o-reason').value.trim() };
  if (o.timed) Object.assign(body, { share: Number($('o-share').value), for: $('o-for').value });
  $('go-order').disabled = true;
  try {
    await api('POST', o.path, body);
    store.set('actor', body.actor);
    $('d-order').close();
    toast(o.done);
    o.then?.();
  } catch (err) {
    text($('e-order'), err.message);
  } finally {
    $('go-order').disabled = false;
  }
});
for (const b of document.querySelectorAll('dialog button.cancel[type=button]')) b.addEventListener('click', () => b.closest('dialog').close());

const ordered = (t, what) => `/v1/trunks/${part(t.name)}/orders/${what}`;
export function drill(t) {
  if (t.orders.some(o => o.drill)) {
    order({ title: `End the drill of ${t.name}`, about: 'Calls go where they would go without it.', verb: 'End drill', path: ordered(t, 'revert'), done: `The drill of ${t.name} has ended.` });
    return;
  }
  order({
    title: `Drill ${t.name}`, timed: true, verb: 'Start drill', path: ordered(t, 'drill'), done: `${t.name} is being drilled.`,
    about: 'So large a share of all calls goes to this trunk for a while, and comes back by itself. The report compares it with the others.',
  });
}
export function drain(t) {
  if (t.state === 'draining' || t.state === 'out' || t.state === 'staged') {
    order({ title: `Return ${t.name}`, about: 'The trunk takes new calls again.', verb: 'Return to service', path: ordered(t, 'live'), done: `${t.name} takes calls again.` });
    return;
  }
  order({
    title: `Drain ${t.name}`, danger: true, verb: 'Drain', path: ordered(t, 'drain'), done: `${t.name} drains.`,
    about: `The trunk takes no new calls. The ${t.use} that are up go on until they end.`,
  });
}

// ---- a pool and its numbers ----
let pool = '';
export async function openPool(name) {
  pool = name;
  text($('t-pool'), `Numbers of ${name}`);
  $('numbers').tBodies[0].replaceChildren();
  if (!$('d-pool').open) $('d-pool').showModal();
  await fillPool();
}
async function fillPool() {
  try {
    const v = await api('GET', '/v1/pools/' + part(pool));
    text($('e-pool'), '');
    rows($('numbers').tBodies[0], v.numbers || [], n => n.number, makeNumber, updateNumber);
  } catch (err) { text($('e-pool'), err.message); }
}
function makeNumber(n) {
  const row = cells('', 'State', 'Now', 'Used', '');
  row.cell[0].append(el('b', { text: n.number }), row.where = el('span', { class: 'sub' }));
  row.act = el('button', { type: 'button', on: () => rest(row.item) });
  row.cell[4].append(el('div', { class: 'orders' }, row.act));
  return row;
}
function updateNumber(row, n) {
  text(row.where, [n.region, n.owner].filter(Boolean).join(' · '));
  text(row.cell[1], n.state + (n.hold ? ` · held by ${n.hold.actor}: ${n.hold.reason}` : ''));
  text(row.cell[2], n.status);
  text(row.cell[3], n.uses.map(u => `${u.used} of ${u.cap}`).join(', ') || '–');
  const label = n.state === 'quarantined' ? 'Release' : 'Quarantine';
  text(row.act, label); attr(row.act, 'aria-label', label + ' ' + n.number);
}
function rest(n) {
  const path = what => `/v1/numbers/${part(n.number)}/orders/${what}`;
  if (n.state === 'quarantined') {
    order({ title: `Release ${n.number}`, about: 'The number may be presented again.', verb: 'Release', path: path('release'), done: `${n.number} is released.`, then: fillPool });
    return;
  }
  order({
    title: `Quarantine ${n.number}`, danger: true, verb: 'Quarantine', path: path('quarantine'), done: `${n.number} is in quarantine.`, then: fillPool,
    about: 'The number rests and is not presented: for finding out what is wrong with it, not for swapping it.',
  });
}
