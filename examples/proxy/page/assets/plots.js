// The plots of the last ten minutes, drawn by uPlot.
import { $, clock, el } from './dom.js';

let last = null; // the latest snapshot
export const setHistory = h => { history = h; plotted = ''; };
export const redraw = () => { if (last) draw(last); };

let history = { t: [], trunks: {} }, plots = null, plotted = '';
const strokes = ['#2f74d0', '#d0762f', '#2f9e6e', '#b04ad0', '#b5a100', '#d04a6a', '#3aa6b9', '#7a7f87'];
const keep = 300;
export function points(s) {
  last = s;
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
