"use strict";
const $ = (id) => document.getElementById(id);

// Numbers that look random and are the same on every machine: state -> 1664525 * state + 1013904223
// modulo 2^32 (the generator of Numerical Recipes), divided by 2^32.
function random(seed) {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 4294967296;
}
const normal = (draw) => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
function shuffled(count, draw) {
  const order = [...Array(count).keys()];
  for (let i = count - 1; i > 0; i--) {
    const k = Math.floor(draw() * (i + 1));
    [order[i], order[k]] = [order[k], order[i]];
  }
  return order;
}

// What a machine can compare: the page's own numbers, at the settings it opens with.
function numbers(...values) { document.documentElement.dataset.numbers = JSON.stringify(values); }
function say(text) { $("say").textContent = text; }
function short(v, digits = 3) {
  if (!Number.isFinite(v)) return "too large to write";
  return Math.abs(v) >= 1e5 || (v !== 0 && Math.abs(v) < 1e-4) ? v.toExponential(1) : v.toFixed(digits);
}
// A range or another input: `use` is called now and at every change; its result is shown behind it.
function control(id, use) {
  const input = $(id), shown = $(id + "_shown");
  const read = () => {
    const text = use(input.type === "checkbox" ? input.checked : input.type === "range" ? +input.value : input.value);
    if (shown && text !== undefined) { shown.textContent = text; input.setAttribute("aria-valuetext", text); }
  };
  input.addEventListener("input", () => { read(); redraw(); });
  read();
}
let drawing = () => {};
let waiting = 0;
function redraw() { if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; drawing(); }); }
function draws(f) { drawing = f; addEventListener("resize", redraw); f(); }

// Run/Pause, one step, start again. `step` returns false where there is nothing left to do.
function player({ step, again, many = 1, every = 30 }) {
  let timer = 0;
  const rest = () => { clearInterval(timer); timer = 0; $("run").textContent = "Run"; $("say").setAttribute("aria-live", "polite"); redraw(); };
  const forward = (n) => { for (let i = 0; i < n; i++) if (step() === false) { rest(); break; } redraw(); };
  $("run").onclick = () => {
    if (timer) return rest();
    $("run").textContent = "Pause";
    $("say").setAttribute("aria-live", "off");
    timer = setInterval(() => forward(many), every);
  };
  $("one").onclick = () => { if (timer) rest(); forward(1); };
  const start = () => { rest(); again(); redraw(); };
  $("again").onclick = start;
  return { rest, start, forward };
}

function add(parent, tag, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [k, v] of Object.entries(attributes)) made.setAttribute(k, v);
  if (text !== undefined) made.textContent = text;
  return parent.appendChild(made);
}
// Axes in an <svg>, as wide as the page lets it be, so that its letters stay legible on a phone.
class Chart {
  constructor(id, { x, y, height = 300, log = false, xticks = [], yticks = [], xlabel = "", ylabel = "", square = false }) {
    this.svg = $(id);
    this.svg.replaceChildren();
    this.w = Math.max(240, Math.round(this.svg.clientWidth || 600));
    this.h = square ? Math.min(this.w, 420) : height;
    this.svg.setAttribute("viewBox", `0 0 ${this.w} ${this.h}`);
    this.svg.setAttribute("height", this.h);
    this.x = x; this.log = log;
    this.y = log ? y.map(Math.log10) : y;
    this.left = yticks.length ? 52 : 8; this.right = this.w - 14;
    this.top = ylabel ? 26 : 10; this.bottom = this.h - (xlabel ? 42 : xticks.length ? 24 : 8);
    if (square) { const side = Math.min(this.right - this.left, this.bottom - this.top); this.right = this.left + side; this.bottom = this.top + side; }
    for (const t of yticks) {
      add(this.svg, "line", { class: "grid", x1: this.left, x2: this.right, y1: this.py(t), y2: this.py(t) });
      add(this.svg, "text", { x: this.left - 6, y: this.py(t) + 4, "text-anchor": "end" }, log && (t >= 1e4 || t < 1e-3) ? t.toExponential(0).replace("+", "") : t);
    }
    for (const t of xticks) add(this.svg, "text", { x: this.px(t), y: this.bottom + 18, "text-anchor": "middle" }, t);
    if (xlabel) add(this.svg, "text", { x: (this.left + this.right) / 2, y: this.h - 6, "text-anchor": "middle" }, xlabel);
    if (ylabel) add(this.svg, "text", { x: 4, y: 14 }, ylabel);
  }
  px(x) { return this.left + ((x - this.x[0]) / (this.x[1] - this.x[0])) * (this.right - this.left); }
  py(y) {
    let v = this.log ? Math.log10(Math.max(y, 1e-300)) : y;
    if (Number.isNaN(v)) v = Infinity;
    v = Math.min(Math.max(v, this.y[0]), this.y[1]);
    return this.bottom - ((v - this.y[0]) / (this.y[1] - this.y[0])) * (this.bottom - this.top);
  }
  line(points, classes) {
    return add(this.svg, "polyline", { class: classes, points: points.map(([x, y]) => `${this.px(x).toFixed(1)},${this.py(y).toFixed(1)}`).join(" ") });
  }
  curve(values, classes, from = 0) { return this.line(values.map((v, i) => [i + from, v]), classes); }
  dot(x, y, classes, r = 5) { return add(this.svg, "circle", { class: classes, cx: this.px(x), cy: this.py(y), r }); }
  box(x, y, classes, r = 4) { return add(this.svg, "rect", { class: classes, x: this.px(x) - r, y: this.py(y) - r, width: 2 * r, height: 2 * r }); }
  text(x, y, words, { dx = 8, dy = -8, at = "start", classes = "strong" } = {}) {
    return add(this.svg, "text", { class: classes, x: this.px(x) + dx, y: this.py(y) + dy, "text-anchor": at }, words);
  }
  tells(words) { this.svg.setAttribute("aria-label", words); }
}

// inputs -> hidden, ReLU -> classes; the mean cross-entropy of a batch, its gradient by hand.
class Net {
  constructor(inputs, hidden, classes, draw) {
    Object.assign(this, { inputs, hidden, classes, steps: 0 });
    this.at = [0, hidden * inputs, hidden * (inputs + 1), hidden * (inputs + 1 + classes)];
    this.w = new Float64Array(this.at[3] + classes);
    for (let k = 0; k < this.at[1]; k++) this.w[k] = normal(draw) * Math.sqrt(2 / inputs);
    for (let k = this.at[2]; k < this.at[3]; k++) this.w[k] = normal(draw) * Math.sqrt(1 / hidden);
    this.grad = new Float64Array(this.w.length);
    this.m = new Float64Array(this.w.length);
    this.v = new Float64Array(this.w.length);
  }
  logits(x, h = []) {
    const { w, at, inputs, hidden, classes } = this;
    for (let j = 0; j < hidden; j++) {
      let z = w[at[1] + j];
      for (let i = 0; i < inputs; i++) z += w[j * inputs + i] * x[i];
      h[j] = z > 0 ? z : 0;
    }
    const out = [];
    for (let c = 0; c < classes; c++) {
      let z = w[at[3] + c];
      for (let j = 0; j < hidden; j++) z += w[at[2] + c * hidden + j] * h[j];
      out.push(z);
    }
    return out;
  }
  // Adds the batch's gradient to `grad`, as backward() does; returns the batch's mean loss.
  backward(xs, ys) {
    const { w, grad, at, inputs, hidden, classes } = this, h = [];
    let loss = 0;
    xs.forEach((x, n) => {
      const z = this.logits(x, h), top = Math.max(...z), e = z.map((v) => Math.exp(v - top));
      const sum = e.reduce((a, b) => a + b);
      loss += Math.log(sum) + top - z[ys[n]];
      const d = e.map((v, c) => (v / sum - (c === ys[n] ? 1 : 0)) / xs.length);
      for (let j = 0; j < hidden; j++) {
        let back = 0;
        for (let c = 0; c < classes; c++) {
          grad[at[2] + c * hidden + j] += d[c] * h[j];
          back += d[c] * w[at[2] + c * hidden + j];
        }
        if (h[j] > 0) {
          grad[at[1] + j] += back;
          for (let i = 0; i < inputs; i++) grad[j * inputs + i] += back * x[i];
        }
      }
      for (let c = 0; c < classes; c++) grad[at[3] + c] += d[c];
    });
    return loss / xs.length;
  }
  norm() { return Math.sqrt(this.grad.reduce((a, g) => a + g * g, 0)); }
  sgd(rate) { for (let k = 0; k < this.w.length; k++) this.w[k] -= rate * this.grad[k]; }
  adam(rate) {
    const t = ++this.steps, { w, grad, m, v } = this;
    for (let k = 0; k < w.length; k++) {
      m[k] = 0.9 * m[k] + 0.1 * grad[k];
      v[k] = 0.999 * v[k] + 0.001 * grad[k] * grad[k];
      w[k] -= (rate * m[k]) / (1 - 0.9 ** t) / (Math.sqrt(v[k] / (1 - 0.999 ** t)) + 1e-8);
    }
  }
  answer(x) { const z = this.logits(x); return z.indexOf(Math.max(...z)); }
  accuracy(xs, ys) { return xs.reduce((n, x, i) => n + (this.answer(x) === ys[i]), 0) / xs.length; }
}
