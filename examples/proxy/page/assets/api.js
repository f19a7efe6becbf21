// The API and its token, and what is said to people.
import { $, attr, text } from './dom.js';

// ---- the token: in this tab alone ----
export const store = { // a browser may forbid it
  get: k => { try { return sessionStorage.getItem(k) || ''; } catch { return ''; } },
  set: (k, v) => { try { sessionStorage.setItem(k, v); } catch { /* it is asked for again */ } },
};
let token = store.get('token'), connect = () => {};
export const hasToken = () => token !== '';
// onToken names what is to be done with a new token.
export const onToken = f => { connect = f; };
export const headers = more => token ? { Authorization: 'Bearer ' + token, ...more } : { ...more };

export function askToken(problem) {
  text($('e-token'), problem);
  $('token').value = '';
  $('sign').hidden = false;
  if (!$('d-token').open) $('d-token').showModal();
  $('token').focus();
}
$('d-token').querySelector('form').addEventListener('submit', e => {
  e.preventDefault();
  token = $('token').value.trim();
  store.set('token', token);
  $('d-token').close();
  connect();
});
$('sign').addEventListener('click', () => askToken(''));

// ---- what is said: seldom, and once ----
let said = 0, toastEnds = 0;
export const sinceSaid = () => Date.now() - said;
export function say(s) { said = Date.now(); text($('say'), s); }
export function toast(s) {
  say(s);
  text($('toast'), s);
  $('toast').hidden = false;
  clearTimeout(toastEnds);
  toastEnds = setTimeout(() => { $('toast').hidden = true; }, 6000);
}
export function link(level, s) { attr($('link'), 'data-level', level); text($('link'), s); }

// ---- the API ----
export async function api(method, path, body) {
  const res = await fetch(path, { method, cache: 'no-store', headers: headers(body && { 'Content-Type': 'application/json' }), body: body && JSON.stringify(body) });
  const v = await res.json().catch(() => ({}));
  if (res.ok) return v;
  const more = (v.errors || []).map(e => `${e.field}: ${e.detail}`).join('; ');
  throw new Error([v.detail || v.title || 'status ' + res.status, more].filter(Boolean).join(' — '));
}
export const part = encodeURIComponent;
