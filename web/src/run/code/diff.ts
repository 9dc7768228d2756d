/** Reads unified diffs as git writes them, and makes the differences of two texts. */

export interface DiffLine { kind: " " | "+" | "-"; text: string; old: number | null; new: number | null }
export interface Hunk { header: string; lines: DiffLine[] }
export interface FileDiff {
  path: string;
  from: string | null;
  status: "modified" | "added" | "deleted" | "renamed" | "binary";
  mode: string | null;
  hunks: Hunk[];
  added: number;
  removed: number;
}

const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)$/;

/** One entry a file, in the order of the patch. What is no diff is passed over. */
export function parseDiff(text: string): FileDiff[] {
  const files: FileDiff[] = [];
  const lines = text.split("\n");
  let file: FileDiff | null = null;
  const start = (path: string): FileDiff => {
    const made: FileDiff = { path, from: null, status: "modified", mode: null, hunks: [], added: 0, removed: 0 };
    files.push(made);
    return made;
  };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (line.startsWith("diff --git ")) file = start(pathOf(line));
    else if (line.startsWith("--- ") && lines[i + 1]?.startsWith("+++ ")) {
      const [from, to] = [name(line.slice(4)), name(lines[i + 1]!.slice(4))];
      file ??= start(to ?? from ?? "");
      if (to !== null) file.path = to;
      else if (from !== null) file.path = from;
      if (from === null) file.status = "added";
      if (to === null) file.status = "deleted";
      i += 1;
    } else if (file && line.startsWith("rename from ")) (file.from = unquote(line.slice(12))), (file.status = "renamed");
    else if (file && line.startsWith("rename to ")) file.path = unquote(line.slice(10));
    else if (file && line.startsWith("new file mode ")) (file.status = "added"), (file.mode = line.slice(14));
    else if (file && line.startsWith("deleted file mode ")) file.status = "deleted";
    else if (file && line.startsWith("new mode ")) file.mode = line.slice(9);
    else if (file && (line.startsWith("GIT binary patch") || line.startsWith("Binary files "))) file.status = "binary";
    else {
      const match = HUNK.exec(line);
      if (file && match) i = readHunk(file, lines, i, match);
    }
  }
  return files;
}

/** Reads as many lines as the hunk's head says there are: a line of the diff may look like anything. */
function readHunk(file: FileDiff, lines: readonly string[], at: number, match: RegExpExecArray): number {
  const hunk: Hunk = { header: match[0], lines: [] };
  let old = Number(match[1]);
  let fresh = Number(match[3]);
  let oldLeft = match[2] === undefined ? 1 : Number(match[2]);
  let newLeft = match[4] === undefined ? 1 : Number(match[4]);
  let i = at + 1;
  for (; i < lines.length && (oldLeft > 0 || newLeft > 0); i++) {
    const line = lines[i]!;
    const kind = line[0] ?? " ";
    if (kind === "\\") continue;
    if (kind !== "+" && kind !== "-" && kind !== " ") break;
    const text = line.slice(1);
    if (kind === "+") (hunk.lines.push({ kind, text, old: null, new: fresh++ }), (newLeft -= 1), (file.added += 1));
    else if (kind === "-") (hunk.lines.push({ kind, text, old: old++, new: null }), (oldLeft -= 1), (file.removed += 1));
    else (hunk.lines.push({ kind, text, old: old++, new: fresh++ }), (oldLeft -= 1), (newLeft -= 1));
  }
  file.hunks.push(hunk);
  return i - 1;
}

function name(text: string): string | null {
  const path = unquote(text.replace(/\t.*$/, ""));
  return path === "/dev/null" ? null : path.replace(/^[abciow]\//, "");
}

/** `diff --git a/x b/x` → `x`; with spaces in it the two halves are equal. */
function pathOf(line: string): string {
  const rest = line.slice("diff --git ".length);
  const half = rest.slice(0, Math.floor(rest.length / 2));
  const other = rest.slice(Math.floor(rest.length / 2) + 1);
  if (unquote(half).slice(2) === unquote(other).slice(2)) return unquote(other).slice(2);
  return unquote(rest.split(" ").pop() ?? "").replace(/^b\//, "");
}

/** Git writes odd names in quotes, bytes as octal: `"\303\274"` → `ü`. */
function unquote(text: string): string {
  if (!/^".*"$/s.test(text)) return text;
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  const body = text.slice(1, -1);
  for (let i = 0; i < body.length; i++) {
    if (body[i] !== "\\") {
      bytes.push(...encoder.encode(body[i]));
      continue;
    }
    const octal = /^[0-7]{3}/.exec(body.slice(i + 1));
    if (octal) (bytes.push(parseInt(octal[0], 8)), (i += 3));
    else {
      const escapes: Record<string, number> = { n: 10, t: 9, r: 13, '"': 34, "\\": 92 };
      bytes.push(escapes[body[i + 1] ?? ""] ?? 63);
      i += 1;
    }
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}

const CONTEXT = 3;
const MOST_EDITS = 4000;

/** The difference of two texts as hunks with three lines around (Myers 1986); texts too unlike are replaced whole. */
export function diffTexts(before: string, after: string): Hunk[] {
  const a = before === "" ? [] : before.replace(/\n$/, "").split("\n");
  const b = after === "" ? [] : after.replace(/\n$/, "").split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const middle = script(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  const lines: DiffLine[] = [];
  let old = 1;
  let fresh = 1;
  const put = (kind: DiffLine["kind"], text: string): void => {
    lines.push({ kind, text, old: kind === "+" ? null : old, new: kind === "-" ? null : fresh });
    if (kind !== "+") old += 1;
    if (kind !== "-") fresh += 1;
  };
  a.slice(0, head).forEach((text) => put(" ", text));
  middle.forEach(([kind, text]) => put(kind, text));
  a.slice(a.length - tail).forEach((text) => tail > 0 && put(" ", text));
  return hunksOf(lines);
}

function script(a: readonly string[], b: readonly string[]): [DiffLine["kind"], string][] {
  const most = Math.min(a.length + b.length, MOST_EDITS);
  const trace: Map<number, number>[] = [];
  const ends = new Map<number, number>([[1, 0]]);
  for (let d = 0; d <= most; d++) {
    trace.push(new Map(ends));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (ends.get(k - 1) ?? -1) < (ends.get(k + 1) ?? -1));
      let x = down ? ends.get(k + 1) ?? 0 : (ends.get(k - 1) ?? 0) + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) (x += 1), (y += 1);
      ends.set(k, x);
      if (x >= a.length && y >= b.length) return backtrack(a, b, trace, d);
    }
    if (d * d > 4_000_000) break;
  }
  return [...a.map((text): ["-", string] => ["-", text]), ...b.map((text): ["+", string] => ["+", text])];
}

function backtrack(a: readonly string[], b: readonly string[], trace: readonly Map<number, number>[], edits: number): [DiffLine["kind"], string][] {
  const found: [DiffLine["kind"], string][] = [];
  let x = a.length;
  let y = b.length;
  for (let d = edits; d >= 0; d--) {
    const ends = trace[d]!;
    const k = x - y;
    const down = k === -d || (k !== d && (ends.get(k - 1) ?? -1) < (ends.get(k + 1) ?? -1));
    const fromK = down ? k + 1 : k - 1;
    const fromX = d === 0 ? 0 : ends.get(fromK) ?? 0;
    const fromY = d === 0 ? 0 : fromX - fromK;
    while (x > fromX && y > fromY && x > 0 && y > 0 && a[x - 1] === b[y - 1]) (found.push([" ", a[x - 1]!]), (x -= 1), (y -= 1));
    if (d === 0) break;
    if (down) (found.push(["+", b[y - 1]!]), (y -= 1));
    else (found.push(["-", a[x - 1]!]), (x -= 1));
  }
  return found.reverse();
}

function hunksOf(lines: readonly DiffLine[]): Hunk[] {
  const hunks: Hunk[] = [];
  let from = -1;
  let to = -1;
  const close = (): void => {
    if (from < 0) return;
    const part = lines.slice(from, to + 1);
    const first = (side: "old" | "new"): number => part.find((one) => one[side] !== null)?.[side] ?? 0;
    const count = (side: "old" | "new"): number => part.filter((one) => one[side] !== null).length;
    hunks.push({ header: `@@ -${first("old")},${count("old")} +${first("new")},${count("new")} @@`, lines: part });
  };
  lines.forEach((line, i) => {
    if (line.kind === " ") return;
    if (from < 0 || i - CONTEXT > to + 1) (close(), (from = Math.max(0, i - CONTEXT)));
    to = Math.min(lines.length - 1, i + CONTEXT);
  });
  close();
  return hunks;
}
