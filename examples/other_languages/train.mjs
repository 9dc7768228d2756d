// Records a run from Node, without any library: lines of JSON, each written with one write().
//
//     outrider run -- node train.mjs      its console and its end are recorded, too
//     node train.mjs                      alone: it makes the run's folder itself; then: outrider sync .
//
// The format is docs/file-format.md; `outrider check FOLDER` says whether this keeps to it.

import { mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

const steps = Number(process.env.STEPS ?? 10);
const pause = Number(process.env.PAUSE ?? 0.1) * 1000;
const writer = `node${process.pid}`;

function ownFolder() {
  const id = `node-${process.pid}`;
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const folder = `.outrider/runs/${stamp}-${id}`;
  mkdirSync(`${folder}/journal`, { recursive: true, mode: 0o700 });
  const meta = { format: 1, id, project: "other-languages", name: "node" };
  writeFileSync(`${folder}/run.json.new`, JSON.stringify(meta) + "\n", { mode: 0o600 });
  renameSync(`${folder}/run.json.new`, `${folder}/run.json`);
  return { folder, id, primary: true };
}

const given = process.env.OUTRIDER_RUN_DIR;
const { folder, id, primary } = given
  ? { folder: given, id: process.env.OUTRIDER_RUN_ID, primary: false }
  : ownFolder();

// "ax": append, and fail where the file is there already.
const journal = openSync(`${folder}/journal/${writer}-000001.jsonl`, "ax", 0o600);
let torn = false; // the last write was cut short: begin the next with a newline
let lost = 0; // records that could not be written since the last gap record

// performance.now() is monotonic and counts from timeOrigin: a step of the clock reorders nothing.
const now = () => (performance.timeOrigin + performance.now()) / 1000;

// JSON has no NaN and no infinities: they are words.
const worded = (_, value) =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value;

function put(body) {
  const line = Buffer.from((torn ? "\n" : "") + JSON.stringify({ t: now(), ...body }, worded) + "\n");
  let written = 0;
  try {
    written = writeSync(journal, line);
  } catch {
    written = 0;
  }
  if (written === line.length) {
    torn = false;
    return true;
  }
  torn ||= written > 0;
  return false;
}

function record(body) {
  if (!put(body)) {
    lost += 1;
  } else if (lost > 0 && put({ k: "gap", n: lost, why: "disk full" })) {
    lost = 0;
  }
}

// Who we are: with pid, start and boot the streamer sees our death, however we die.
function identity() {
  try {
    const stat = readFileSync("/proc/self/stat", "latin1");
    const start = Number(stat.slice(stat.lastIndexOf(")")).split(" ")[20]);
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return { host: hostname(), pid: process.pid, start, boot };
  } catch {
    return { host: hostname(), pid: process.pid }; // no /proc
  }
}

record({ k: "head", v: 1, run: id, w: writer, n: 1, a: 1, ...identity(), role: "foreign", primary });
record({ k: "config", c: { steps, language: "node" } });

for (let step = 0; step < steps; step++) {
  record({ s: step, p: { square: step * step, inverse: 1 / (step + 1) } });
  console.log(`step ${step}`);
  await sleep(pause);
}
record({ s: steps, p: { odd: NaN } });

record({ k: "summary", c: { best: "all of them" } });
record({ k: "end", w: writer, a: 1, state: "finished", code: 0 });
