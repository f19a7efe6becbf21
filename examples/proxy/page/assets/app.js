// The page of the proxy. What comes from the network is only ever set as text: there is no markup in it, whatever a peer wrote.
const $ = id => document.getElementById(id);

// el makes an element. Attributes are set as such; "text" is its text, "on" a handler of clicks.
function el(tag, attrs = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attrs)) {
    if (k === 'text') e.textContent = v;
    else if (k === 'on') e.addEventListener('click', v);
    else if (v !== undefined && v !== null && v !== false) e.setAttribute(k, v);
  }
  e.append(...children.filter(c => c !== null && c !== undefined));
  return e;
}
function text(e, s) { if (e.textContent !== s) e.textContent = s; }
function attr(e, k, v) { if (e.getAttribute(k) !== v) e.setAttribute(k, v); }

// ---- figures in words ----
const percent = v => v == null ? '–' : (100 * v).toFixed(v >= 0.9995 || v === 0 ? 0 : 1) + ' %';
const seconds = v => v == null ? '–' : v < 10 ? v.toFixed(2) : v.toFixed(1);
const delay = k => k && k.p50 != null ? `${seconds(k.p50)} / ${seconds(k.p95)}` : '–';
const whole = n => n == null ? '–' : n.toLocaleString('en-GB');
function span(s) {
  s = Math.max(0, Math.round(s));
  if (s < 60) return s + ' s';
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60 ? (s % 60) + ' s' : ''}`.trim();
  return s < 172800 ? `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min` : Math.round(s / 86400) + ' days';
}
const clock = t => t ? new Date(t).toLocaleTimeString('en-GB') : '';

// ---- the token: in this tab alone ----
const store = { // a browser may forbid it
  get: k => { try { return sessionStorage.getItem(k) || ''; } catch { return ''; } },
  set: (k, v) => { try { sessionStorage.setItem(k, v); } catch { /* it is asked for again */ } },
};
let token = store.get('token');
const headers = more => token ? { Authorization: 'Bearer ' + token, ...more } : { ...more };

function askToken(problem) {
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
function say(s) { said = Date.now(); text($('say'), s); }
function toast(s) {
  say(s);
  text($('toast'), s);
  $('toast').hidden = false;
  clearTimeout(toastEnds);
  toastEnds = setTimeout(() => { $('toast').hidden = true; }, 6000);
}
function link(level, s) { attr($('link'), 'data-level', level); text($('link'), s); }

// ---- the stream of figures ----
let attempt = 0, running = null, retry = 0;
async function connect() {
  clearTimeout(retry);
  if (running) running.abort();
  const ctl = running = new AbortController();
  try {
    const res = await fetch('/page/stream', { headers: headers(), signal: ctl.signal, cache: 'no-store' });
    if (res.status === 401) {
      askToken(token ? 'The proxy does not know this token.' : '');
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

// ---- tables: a row keeps its elements, so that focus and selection stay where they are ----
function rows(body, list, key, make, update) {
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
function cells(...labels) {
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
function rescale(s) {
  const most = Math.max(...[...s.trunks, ...s.pools].map(x => x.kpi?.asr?.n >= 20 ? x.kpi.asr.hi : x.kpi?.asr?.v || 0), 0.05);
  scale = [0.1, 0.25, 0.5, 1].find(v => v >= most) || 1;
  for (const e of document.querySelectorAll('.scale')) text(e, `, bar to ${100 * scale} %`);
}
function interval(cell, r) {
  if (!cell.main) {
    cell.append(cell.main = el('b'), cell.note = el('span', { class: 'sub' }), cell.bar = meter());
  }
  const known = r && r.v != null;
  text(cell.main, known ? percent(r.v) : '–');
  text(cell.note, known ? `${(100 * r.lo).toFixed(1)} to ${percent(r.hi)} · ${whole(r.n)} legs` : 'no outcomes yet');
  cell.bar.hidden = !known;
  if (!known) return;
  const [range, point] = cell.bar.children;
  const at = v => Math.min(100, 100 * v / scale);
  range.style.left = at(r.lo) + '%';
  range.style.width = at(r.hi) - at(r.lo) + '%';
  point.style.left = at(r.v) + '%';
}
function filled(cell, main, note, share, level) {
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

// The signs of health differ in form, not in colour alone.
const signs = {
  up: ['●', 'ok'], suspect: ['◐', 'warn'], probing: ['◔', 'warn'], ramping: ['◕', 'warn'], suspended: ['◌', 'warn'], held: ['■', 'warn'],
  out: ['○', 'bad'],
};
function healthOf(t) {
  if (t.state === 'draining') return ['▽', 'draining', 'warn'];
  if (t.state === 'out' || t.state === 'staged') return ['▢', t.state === 'out' ? 'taken out' : 'staged', 'none'];
  const [sign, level] = signs[t.health] || ['●', 'none'];
  return [sign, t.state === 'canary' && t.health === 'up' ? 'on trial' : t.health, level];
}
function level(share) { return share >= 0.95 ? 'bad' : share >= 0.8 ? 'warn' : 'ok'; }

function makeTrunk(t) {
  const row = cells('', 'Health', 'ASR', 'PDD p50 / p95', 'Channels', 'Calls/s', '');
  const [name, health, , pdd, , , orders] = row.cell;
  name.append(el('b', { text: t.name }), row.carrier = el('span', { class: 'sub' }));
  health.append(row.health = el('span', { class: 'health' }), row.why = el('span', { class: 'why' }));
  pdd.className = 'num';
  const button = (label, f) => el('button', { type: 'button', text: label, 'aria-label': label + ' ' + t.name, on: () => f(row.item) });
  orders.append(el('div', { class: 'orders' }, row.drill = button('Drill', drill), row.drain = button('Drain', drain)));
  return row;
}
function updateTrunk(row, t) {
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

function makePool(p) {
  const row = cells('', 'Numbers', 'ASR', 'PDD p50 / p95', 'Ready', 'Waiting', 'Resting', 'Risk', '');
  row.cell[0].append(el('b', { text: p.name }), row.program = el('span', { class: 'sub' }));
  for (const i of [3, 4, 5, 6]) row.cell[i].className = 'num';
  row.cell[8].append(el('div', { class: 'orders' }, el('button', { type: 'button', text: 'Numbers', 'aria-label': 'Numbers of ' + p.name, on: () => openPool(p.name) })));
  return row;
}
function updatePool(row, p) {
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
function makeItem() {
  const li = el('li');
  li.append(li.when = el('span', { class: 'when' }), li.head = el('b'), li.body = el('span', { class: 'sub' }));
  return li;
}
function item(li, lvl, head, body, when) {
  text(li.when, when); text(li.head, (levels[lvl] || '') + head); attr(li.head, 'data-level', lvl); text(li.body, body);
}
// either shows a list, or the sentence beside it that says that there is nothing.
function either(id, list) {
  $(id).hidden = !list.length;
  $('no-' + id).hidden = list.length > 0;
}

function makeCall(c) {
  const row = el('tr');
  row.cell = [0, 1, 2, 3].map(() => { const td = el('td'); row.append(td); return td; });
  row.open = el('button', { type: 'button', class: 'open', text: c.to || c.id, 'aria-label': `Explain the call to ${c.to || c.id}`, on: () => openCall(row.item) });
  row.cell[0].append(row.open);
  row.cell[3].className = 'num';
  return row;
}
function updateCall(row, c) {
  text(row.cell[1], c.trunk || '–');
  text(row.cell[2], c.code ? `${c.code}${c.attempts > 1 ? ` · ${c.attempts} legs` : ''}` : c.state + (c.attempts > 1 ? ` · ${c.attempts} legs` : ''));
  text(row.cell[3], span(((c.ended || now) - c.began) / 1000));
}

// ---- a snapshot ----
let now = Date.now(), last = null, held = false, recent = false;
let worst = new Map();
function hello(h) {
  text($('policy'), h.policy ? 'policy ' + h.policy.slice(0, 8) : '');
  text($('window'), 'over the last ' + h.window);
  history = h.history;
  document.body.classList.remove('stale');
  for (const [k, i] of Object.entries({ 'c-live': false, 'c-recent': true })) $(k).onclick = () => { recent = i; shown(); };
}
function state(s) {
  now = s.t; last = s;
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
    (li, f) => item(li, f.to ? 'none' : 'bad', `${f.from} → ${f.to || 'nobody left'}`, `${f.why} · ${whole(f.n)} calls`, clock(f.t)));
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
  if (told.length && Date.now() - said < 3000) return; // the next snapshot tells it
  worst = next;
  if (told.length) say(told.join(', '));
}

// ---- plots ----
let history = { t: [], trunks: {} }, plots = null, plotted = '';
const strokes = ['#2f74d0', '#d0762f', '#2f9e6e', '#b04ad0', '#b5a100', '#d04a6a', '#3aa6b9', '#7a7f87'];
const keep = 300;
function points(s) {
  if (s.sample) {
    history.t.push(s.t / 1000);
    const blank = () => new Array(history.t.length - 1).fill(null);
    for (const t of s.trunks) {
      const h = history.trunks[t.name] ||= { asr: blank(), lo: blank(), hi: blank(), use: blank(), cps: blank() };
      h.asr.push(t.kpi?.asr?.v ?? null); h.lo.push(t.kpi?.asr?.lo ?? null); h.hi.push(t.kpi?.asr?.hi ?? null);
      h.use.push(t.use); h.cps.push(t.cps);
    }
    for (const h of Object.values(history.trunks)) for (const list of Object.values(h)) if (list.length < history.t.length) list.push(null);
    if (history.t.length > keep) { history.t.shift(); for (const h of Object.values(history.trunks)) for (const list of Object.values(h)) list.shift(); }
  }
  const names = s.trunks.map(t => t.name);
  const key = JSON.stringify([names, $('focus').value]);
  if (plotted !== key) { plotted = key; choose(names); draw(s); } else if (s.sample && !document.hidden) feed();
}
function choose(names) {
  const f = $('focus'), was = f.value;
  f.replaceChildren(el('option', { value: '', text: 'all trunks' }), ...names.map(n => el('option', { value: n, text: n })));
  f.value = names.includes(was) ? was : '';
}
$('focus').addEventListener('change', () => { if (last) { plotted = JSON.stringify([last.trunks.map(t => t.name), $('focus').value]); draw(last); } });
const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
let picked = [];
function draw(s) {
  plots?.forEach(p => p.destroy());
  const one = $('focus').value, all = s.trunks.map(t => t.name);
  picked = one ? [one] : all.slice(0, strokes.length);
  const axis = size => ({ stroke: color('--muted'), grid: { stroke: color('--line'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif', size, gap: 4 });
  const line = name => ({ label: name, stroke: strokes[all.indexOf(name) % strokes.length], width: 1.5, points: { show: false }, spanGaps: false });
  const make = (id, values, series, bands, max) => {
    const box = $(id);
    const opts = {
      width: Math.max(120, box.clientWidth), height: box.clientHeight, legend: { show: false }, cursor: { drag: { x: false, y: false }, points: { show: false } },
      padding: [8, 24, 0, 0], scales: { x: { time: true }, y: { range: (u, lo, hi) => [0, max(hi || 0)] } },
      axes: [{ ...axis(22), space: 90, values: (u, ticks) => ticks.map(t => clock(1000 * t).slice(0, u.scales.x.max - u.scales.x.min < 240 ? 8 : 5)) }, { ...axis(38), space: 32, values }],
      series: [{}, ...series], bands,
    };
    return new uPlot(opts, [history.t, ...series.map(() => [])], box);
  };
  const asr = picked.map(line), bands = [];
  if (one) { // with the interval
    const edge = { ...line(one), width: 0.75, dash: [3, 3] };
    asr.push({ ...edge }, { ...edge });
    bands.push({ series: [3, 2], fill: strokes[all.indexOf(one) % strokes.length] + '26' });
  }
  plots = [
    make('p-asr', (u, ticks) => ticks.map(v => Math.round(100 * v) + ' %'), asr, bands, hi => Math.min(1, Math.max(0.05, Math.ceil(hi * 11) / 10))),
    make('p-use', (u, ticks) => ticks.map(v => v % 1 ? '' : v), picked.map(line), [], hi => Math.max(4, hi * 1.15)),
    make('p-cps', (u, ticks) => ticks.map(v => v % 1 ? '' : v), picked.map(line), [], hi => Math.max(4, hi * 1.15)),
  ];
  $('legend').replaceChildren(...picked.map(name => {
    const i = el('i');
    i.style.borderColor = strokes[all.indexOf(name) % strokes.length];
    return el('li', {}, i, name);
  }));
  feed();
}
function feed() {
  if (!plots) return;
  const of = what => picked.map(n => history.trunks[n]?.[what] || []);
  const asr = [history.t, ...of('asr')];
  if ($('focus').value) asr.push(...of('lo'), ...of('hi'));
  plots[0].setData(asr);
  plots[1].setData([history.t, ...of('use')]);
  plots[2].setData([history.t, ...of('cps')]);
}
let resized = 0;
addEventListener('resize', () => { clearTimeout(resized); resized = setTimeout(() => { if (last) draw(last); }, 150); });

// ---- colours ----
const themes = ['', 'light', 'dark'], themeNames = { '': ['Auto', 'as the system'], light: ['Light', 'light'], dark: ['Dark', 'dark'] };
function theme(t) {
  if (t) document.documentElement.dataset.theme = t; else delete document.documentElement.dataset.theme;
  text($('theme'), themeNames[t][0]); attr($('theme'), 'aria-label', 'Colours: ' + themeNames[t][1]);
  store.set('theme', t);
  if (last) draw(last);
}
$('theme').addEventListener('click', () => theme(themes[(themes.indexOf(document.documentElement.dataset.theme || '') + 1) % 3]));
theme(themes.includes(store.get('theme')) ? store.get('theme') : '');
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { if (last) draw(last); });

// ---- the API ----
async function api(method, path, body) {
  const res = await fetch(path, { method, cache: 'no-store', headers: headers(body && { 'Content-Type': 'application/json' }), body: body && JSON.stringify(body) });
  const v = await res.json().catch(() => ({}));
  if (res.ok) return v;
  const more = (v.errors || []).map(e => `${e.field}: ${e.detail}`).join('; ');
  throw new Error([v.detail || v.title || 'status ' + res.status, more].filter(Boolean).join(' — '));
}
const part = encodeURIComponent;

// ---- orders: asked for, with who and why ----
let pending = null;
function order(o) {
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
function drill(t) {
  if (t.orders.some(o => o.drill)) {
    order({ title: `End the drill of ${t.name}`, about: 'Calls go where they would go without it.', verb: 'End drill', path: ordered(t, 'revert'), done: `The drill of ${t.name} has ended.` });
    return;
  }
  order({
    title: `Drill ${t.name}`, timed: true, verb: 'Start drill', path: ordered(t, 'drill'), done: `${t.name} is being drilled.`,
    about: 'So large a share of all calls goes to this trunk for a while, and comes back by itself. The report compares it with the others.',
  });
}
function drain(t) {
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
async function openPool(name) {
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

// ---- a call, explained ----
async function openCall(c) {
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
const fates = { dialled: 'ok', refused: 'bad', left_out: 'none', not_reached: 'none' };
function candidate(c) {
  const failed = c.result && c.result.state !== 'answered' && c.result.code !== 200;
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

connect();
