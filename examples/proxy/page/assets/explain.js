// A call, and why it went where it went.
import { $, clock, el, text } from './dom.js';
import { api, part } from './api.js';
import { order } from './orders.js';

export async function openCall(c) {
  text($('t-call'), `Call to ${c.to || c.id}`);
  $('call').replaceChildren(el('p', { class: 'muted', text: 'Asking…' }));
  $('d-call').showModal();
  try {
    explain(await api('GET', '/v1/calls/' + part(c.id)));
  } catch (err) { $('call').replaceChildren(el('p', { class: 'error', role: 'alert', text: err.message })); }
}
const facts = pairs => el('dl', {}, ...pairs.filter(([, v]) => v !== undefined && v !== null && v !== '').map(([k, v]) => el('div', {}, el('dt', { text: k }), el('dd', { text: String(v) }))));
const money = micros => micros ? (micros / 1e6).toFixed(4) + ' a minute' : '';
function readings(list) {
  if (!list || !list.length) return null;
  return el('details', {}, el('summary', { text: `What was read (${list.length})` }), el('div', { class: 'readings' }, ...list.map(r =>
    el('div', {}, el('span', { class: 'muted', text: `${r.stage} ${r.name}` }), el('span', { text: r.text || String(Math.round(1e4 * r.value) / 1e4) })))));
}
// hangups are the ends of legs that were answered.
const hangups = ['caller_hangup', 'callee_hangup', 'media_loss'];
const fates = { dialled: 'ok', refused: 'bad', left_out: 'none', not_reached: 'none' };
function candidate(c) {
  const failed = c.result && c.result.state !== 'answered' && !hangups.includes(c.result.origin);
  const words = [c.tier !== undefined ? `tier ${c.tier + 1}` : '', c.weight ? `weight ${c.weight}` : '', money(c.cost_micros), c.matched ? `matched ${c.matched}` : '',
    c.chosen ? `chosen: ${c.chosen.replaceAll('_', ' ')}` : '', c.probability && c.probability < 1 ? `with probability ${c.probability.toFixed(2)}` : '', c.cli ? `caller ID ${c.cli}` : ''];
  const r = c.result;
  return el('li', { class: 'candidate', 'data-level': failed ? 'warn' : fates[c.fate] || 'none' },
    el('span', { class: 'fate', text: (c.leg ? `leg ${c.leg}, ` : '') + c.fate.replaceAll('_', ' ') }),
    el('b', { text: c.trunk }), el('span', { class: 'muted', text: c.carrier && c.carrier !== c.trunk ? ' ' + c.carrier : '' }),
    el('span', { class: 'sub', text: words.filter(Boolean).join(' · ') }),
    c.refused ? el('p', { text: `Refused by ${c.refused.stage}: ${c.refused.text || c.refused.code}` }) : null,
    r ? el('p', { text: ['Result: ' + r.state, (r.origin || '').replaceAll('_', ' '), r.code || '', r.phrase, r.cause ? 'cause ' + r.cause : ''].filter(Boolean).join(' · ') }) : null,
    readings(c.readings));
}
function explain(v) {
  const d = v.decision || {}, call = d.call || {};
  $('call').replaceChildren(
    facts([['Call', v.id], ['Call-ID of the dialer', v.ref], ['Dialer', v.dialer], ['State', v.state], ['Answered with', v.code], ['Trunk', v.trunk], ['Caller ID', v.cli],
      ['Began', clock(v.began)], ['Answered', clock(v.answered)], ['Ended', clock(v.ended)], ['Program', v.program], ['Campaign', v.campaign], ['Tenant', v.tenant],
      ['Destination', [call.country, call.group].filter(Boolean).join(' · ')], ['Day-part', call.day_part], ['Outcome of hunting', (d.outcome || '').replaceAll('_', ' ')]]),
    ...(d.refused ? [el('p', { class: 'error', text: `Refused by ${d.refused.stage}: ${d.refused.text || d.refused.code}` })] : []),
    el('div', {}, el('h3', { text: 'Where it could go, in this order' }),
      el('ol', {}, ...(d.candidates || []).map(candidate))),
    ...[readings(d.readings)].filter(Boolean));
  if (!v.ended && v.state !== 'ended' && v.state !== 'ending') {
    $('call').append(el('div', { class: 'row' }, el('button', {
      type: 'button', text: 'Hang up', 'aria-label': `Hang up the call to ${v.to}`, on: () => order({
        title: `Hang up the call to ${v.to}`, danger: true, about: 'Both sides get BYE, or CANCEL where it is being set up.', verb: 'Hang up',
        path: `/v1/calls/${part(v.id)}/hangup`, done: 'The call is being ended.', then: () => $('d-call').close(),
      }),
    })));
  }
}
