/** A stand-in for the server while the page is drawn: made-up runs in the shapes of the read API. `npm run dev` only. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plugin } from "vite";

const T0 = Date.now() / 1000 - 7200;
const METRICS = ["loss", "lr", "train/loss", "train/acc", "train/grad_norm", "val/loss", "val/acc", "val/f1", "diag/layer1/weight", "diag/layer2/weight", "diag/layer10/weight", "<script>alert(1)</script>", "überraschung/🚀"];
const STATES = ["running", "finished", "finished", "failed", "finished", "killed", "running", "oom", "preempted", "finished"];

const random = (seed: number): (() => number) => () => {
  seed = (seed * 1664525 + 1013904223) % 4294967296;
  return seed / 4294967296;
};
const COUNT = 240;
const runs = Array.from({ length: COUNT }, (_, i) => {
  const r = random(i + 1);
  const state = STATES[i % STATES.length]!;
  return {
    id: `r${(i * 7919 + 13).toString(36)}x`, project: "mnist", name: i % 7 === 3 ? null : ["calm-otter", "lr-sweep", "baseline", "wide-resnet-augmented-long-name", "<b>hostile</b>"][i % 5] + `-${i}`,
    state, attempt: 1, created: T0 - i * 900, started: T0 - i * 900, ended: state === "running" ? null : T0 - i * 900 + 600, updated: T0,
    duration: state === "running" ? 7200 + i * 900 : 600 + 4000 * r(), group: null, job_type: null, tags: i % 3 ? [] : ["sweep"], notes: i === 0 ? "First run with the new schedule." : null, host: "gpu-7", gaps: i === 4 ? 3 : 0,
    config: { lr: 10 ** -(1 + 4 * r()), batch: [32, 64, 128][i % 3], model: ["mlp", "cnn", "resnet"][i % 3], "optim.name": "adam" }, summary: { "val/acc": 0.7 + 0.29 * r(), loss: r() },
  };
});

function series(key: string, id: string, x: string, min: number | null, max: number | null, width: number, smooth: number) {
  const i = runs.findIndex((one) => one.id === id);
  const r = random(i * 31 + key.length * 7);
  const live = runs[i]!.state === "running" ? Math.floor((Date.now() / 1000 - T0 - 7200) * 2) : 0;
  const n = (key.startsWith("val/") ? 20 : 3000 + (i % 5) * 200) + live;
  const rising = /acc|f1/.test(key);
  const base = 0.05 + 0.1 * r();
  const xs: number[] = [], vs: number[] = [];
  for (let s = 0; s < n; s++) {
    const decay = Math.exp(-s / (n * (0.15 + 0.02 * (i % 6))));
    let v = rising ? 0.96 - base - 0.7 * decay : key === "lr" ? 1e-3 * Math.cos((s / n) * 1.5) : base + 2 * decay;
    v += (r() - 0.5) * (key === "lr" ? 0 : rising ? 0.03 : 0.12);
    if (s === 1500 && i === 1) v = 4;
    xs.push(x === "relative" ? s * 0.4 : x === "wall" ? T0 + s * 0.4 : s); vs.push(v);
  }
  const from = min === null ? 0 : xs.findIndex((one) => one >= min), to = max === null ? n : xs.filter((one) => one <= max).length;
  const marks = key === "train/loss" && i === 2 ? [{ x: xs[900], step: 900, value: "NaN", count: 12 }, { x: xs[2000], step: 2000, value: "Infinity", count: 1 }] : [];
  let e = 0, w = 0;
  const ema = vs.map((v) => ((e = e * smooth + (1 - smooth) * v), (w = w * smooth + 1 - smooth), e / w));
  const X = xs.slice(from, to), V = vs.slice(from, to), E = ema.slice(from, to);
  if (X.length <= width) return { run: id, exact: true, total: n, x: X, step: X, time: X, last: V, marks, ...(smooth ? { smooth: E } : {}) };
  const size = Math.ceil(X.length / width);
  const out: Record<string, number[]> = { x: [], last: [], min: [], max: [], mean: [], count: [], smooth: [] };
  for (let k = 0; k < X.length; k += size) {
    const part = V.slice(k, k + size);
    out.x!.push(X[k]!); out.last!.push(part.at(-1)!); out.min!.push(Math.min(...part)); out.max!.push(Math.max(...part));
    out.mean!.push(part.reduce((a, b) => a + b) / part.length); out.count!.push(part.length); out.smooth!.push(E[Math.min(k + size, E.length) - 1]!);
  }
  if (!smooth) delete out.smooth;
  return { run: id, exact: false, total: n, step: out.x, time: out.x, marks, ...out };
}

function answer(url: URL): unknown {
  const parts = url.pathname.split("/").map(decodeURIComponent).slice(2);
  const q = url.searchParams;
  const number = (name: string) => (q.get(name) === null ? null : Number(q.get(name)));
  if (parts[0] === "me") return { role: "admin", projects: null, name: "local" };
  if (parts[0] !== "projects") return null;
  if (parts.length === 1) return { projects: [{ name: "mnist", runs: COUNT, running: 48, updated: Date.now() / 1000 }, { name: "cifar-10 ablations", runs: 31, running: 0, updated: T0 - 86400 }, { name: "<img src=x onerror=alert(1)>", runs: 1, running: 0, updated: T0 - 9e6 }, { name: "überprüfung 模型", runs: 5120, running: 2, updated: T0 }] };
  if (parts[2] === "columns") return { config: ["lr", "batch", "model", "optim.name"].map((key) => ({ key, types: ["number"], runs: COUNT })), summary: ["val/acc", "loss"].map((key) => ({ key, types: ["number"], runs: COUNT })), metrics: METRICS.map((key) => ({ key, runs: COUNT, points: 3000, hidden: false, step: null })), system: [] };
  if (parts[2] === "series") {
    const smooth = Number((q.get("smooth") ?? "ema:0").split(":")[1]);
    return { key: q.get("key"), x: q.get("x"), series: q.getAll("run").filter((id) => runs.some((one) => one.id === id)).map((id) => series(q.get("key")!, id, q.get("x") ?? "step", number("min"), number("max"), number("width") ?? 600, smooth)) };
  }
  if (parts[2] === "runs" && parts.length === 3) {
    const filter = q.get("filter") ?? "";
    if (filter.includes("<<")) return { error: { code: "filter", message: `The filter does not parse at column ${filter.indexOf("<<") + 1}: a value was expected.`, hint: "For example: config.lr < 0.01" } };
    const word = /name ~ "\(\?i\)([^"]*)"/.exec(filter)?.[1];
    const found = runs.filter((one) => !word || (one.name ?? one.id).toLowerCase().includes(word.toLowerCase()));
    const offset = number("offset") ?? 0;
    return { total: found.length, runs: found.slice(offset, offset + (number("limit") ?? 100)) };
  }
  const run = runs.find((one) => one.id === parts[3]);
  if (!run) return null;
  if (parts[4] === "system") return { series: ["system/cpu", "system/memory/used", "system/memory/swap", "system/gpu/0/use", "system/gpu/0/memory", "system/disk/read"].map((key) => ({ key, ...series("val/acc", run.id, "wall", null, null, 800, 0) })) };
  return { ...run, config: { lr: 0.001, model: { name: "cnn", layers: [64, 64], dropout: 0.1 }, note: "<i>text</i>" }, metrics: METRICS.map((key) => ({ key, points: 3000, last: 1, min: 0, max: 4, nonfinite: 0, step: null, summary: null, goal: null, hidden: false })), writers: [{ writer: "k3v9x2", host: "gpu-7", pid: 4121, role: "trainer", attempt: 1, state: run.state, end: null }, { writer: "s-81x", host: "gpu-7", pid: 4130, role: "streamer", attempt: 1, state: null, end: null }], hosts: { "gpu-7": { cpu: "AMD EPYC 7543", cores: 32, memory_gb: 256, gpu: "NVIDIA H100" } }, end: run.state === "failed" ? { state: "failed", code: 1, why: { type: "ValueError", message: "shapes (64, 10) and (32,) do not match" } } : run.state === "oom" ? { state: "oom", signal: 9 } : null, attempts: [{ a: 1, rewind: null, t: T0 }, { a: 2, rewind: 1200, t: T0 + 900 }], program: "train.py", argv: ["train.py", "--lr", "0.001"], python: "3.11.7", url: null };
}

function handle(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  const url = new URL(request.url!, "http://x");
  if (!url.pathname.startsWith("/api/")) return next();
  if (url.pathname === "/api/events") {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    const timer = setInterval(() => {
      for (const run of runs.slice(0, 10).filter((one) => one.state === "running"))
        response.write(`event: change\ndata: ${JSON.stringify({ project: "mnist", run: run.id, kinds: ["points"], keys: METRICS, state: "running" })}\n\n`);
    }, 1000);
    request.on("close", () => clearInterval(timer));
    return;
  }
  const body = answer(url) as { error?: unknown } | null;
  response.writeHead(body === null ? 404 : body.error ? 400 : 200, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body ?? { error: { code: "missing", message: "There is no such run.", hint: null } }));
}

export function fakeServer(): Plugin {
  return { name: "outrider-fake-server", apply: "serve", configureServer: (server) => void server.middlewares.use(handle) };
}
