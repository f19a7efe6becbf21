// Elements, tables and figures. What comes from the network is only ever set as text: there is no markup in it, whatever a peer wrote.
export const $ = id => document.getElementById(id);

// el makes an element. Attributes are set as such; "text" is its text, "on" a handler of clicks.
export function el(tag, attrs = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attrs)) {
    if (k === 'text') e.textContent = v;
    else if (k === 'on') e.addEventListener('click', v);
    else if (v !== undefined && v !== null && v !== false) e.setAttribute(k, v);
  }
  e.append(...children.filter(c => c !== null && c !== undefined));
  return e;
}
export function text(e, s) { if (e.textContent !== s) e.textContent = s; }
export function attr(e, k, v) { if (e.getAttribute(k) !== v) e.setAttribute(k, v); }

// ---- figures in words ----
export const percent = v => v == null ? '–' : (100 * v).toFixed(v >= 0.9995 || v === 0 ? 0 : 1) + ' %';
export const seconds = v => v == null ? '–' : v < 10 ? v.toFixed(2) : v.toFixed(1);
export const delay = k => k && k.p50 != null ? `${seconds(k.p50)} / ${seconds(k.p95)}` : '–';
export const whole = n => n == null ? '–' : n.toLocaleString('en-GB');
export const counted = (n, thing) => `${whole(n)} ${thing}${n === 1 ? '' : 's'}`;
export function span(s) {
  s = Math.max(0, Math.round(s));
  if (s < 60) return s + ' s';
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60 ? (s % 60) + ' s' : ''}`.trim();
  return s < 172800 ? `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min` : Math.round(s / 86400) + ' days';
}
export const clock = t => t ? new Date(t).toLocaleTimeString('en-GB') : '';

// ---- tables: a row keeps its elements, so that focus and selection stay where they are ----
export function rows(body, list, key, make, update) {
  const old = new Map([...body.children].map(r => [r.dataset.key, r]));
  let at = body.firstElementChild;
  for (const item of list) {
    const k = String(key(item));
    let row = old.get(k);
    if (!row) { row = make(item); row.dataset.key = k; }
    old.delete(k);
    if (row === at) at = at.nextElementSibling;
    else body.insertBefore(row, at);
    row.item = item;
    update(row, item);
  }
  for (const row of old.values()) {
    if (row.contains(document.activeElement)) (row.nextElementSibling?.querySelector('button') || $('main')).focus();
    row.remove();
  }
}
// cells makes a row of cells with their labels, which narrow screens show.
export function cells(...labels) {
  const row = el('tr', { role: 'row' });
  row.cell = labels.map((label, i) => {
    const td = el(i ? 'td' : 'th', { role: i ? 'cell' : 'rowheader', scope: i ? null : 'row', 'data-label': label || null });
    row.append(td);
    return td;
  });
  return row;
}
function meter() {
  const m = el('span', { class: 'meter', 'aria-hidden': 'true' }, el('i'), el('b'));
  return m;
}
// interval draws a ratio with its interval. All are drawn to one scale, which the head of the column names.
let scale = 1;
export function rescale(s) {
  const most = Math.max(...[...s.trunks, ...s.pools].map(x => x.kpi?.asr?.n >= 20 ? x.kpi.asr.hi : x.kpi?.asr?.v || 0), 0.05);
  scale = [0.1, 0.25, 0.5, 1].find(v => v >= most) || 1;
  for (const e of document.querySelectorAll('.scale')) text(e, `, bar to ${100 * scale} %`);
}
export function interval(cell, r) {
  if (!cell.main) {
    cell.append(cell.main = el('b'), cell.note = el('span', { class: 'sub' }), cell.bar = meter());
  }
  const known = r && r.v != null;
  text(cell.main, known ? percent(r.v) : '–');
  text(cell.note, known ? `${(100 * r.lo).toFixed(1)} to ${percent(r.hi)} · ${counted(r.n, 'leg')}` : 'no outcomes yet');
  cell.bar.hidden = !known;
  if (!known) return;
  const [range, point] = cell.bar.children;
  const at = v => Math.min(100, 100 * v / scale);
  range.style.left = at(r.lo) + '%';
  range.style.width = at(r.hi) - at(r.lo) + '%';
  point.style.left = at(r.v) + '%';
}
export function filled(cell, main, note, share, level) {
  if (!cell.main) {
    cell.append(cell.main = el('b'), cell.note = el('span', { class: 'sub' }), cell.bar = meter());
    cell.bar.classList.add('fill');
    cell.bar.lastChild.remove();
  }
  text(cell.main, main);
  text(cell.note, note);
  cell.bar.hidden = share == null;
  if (share == null) return;
  attr(cell.bar, 'data-level', level);
  cell.bar.firstChild.style.width = 100 * Math.min(1, share) + '%';
}
