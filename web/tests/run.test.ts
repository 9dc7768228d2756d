import { describe, expect, it } from "vitest";
import { parseAnsi, withoutAnsi } from "../src/run/console/ansi";
import { diffTexts, parseDiff } from "../src/run/code/diff";
import { wordsOf } from "../src/run/code/highlight";
import { treeRows } from "../src/run/files/tree";
import { isBinary } from "../src/run/files/Content";
import { DEFAULT_PLACE, formatPlace, parsePlace, type Place } from "../src/run/place";
import { nearest } from "../src/run/StepSlider";
import { machineFacts } from "../src/run/machine";
import { valueRows } from "../src/run/values";
import { bestOf } from "../src/compare/Values";

describe("the place on a run's page", () => {
  it("comes back unchanged from the address", () => {
    const place: Place = {
      against: "r&2", find: "a b\\d+", all: true, stream: "err", line: 12, file: "ü/a b.py", keys: ["a/b", "<c>"], step: -3, runs: ["r1", "r2"],
    };
    expect(parsePlace(`?${new URLSearchParams(formatPlace(place))}`)).toEqual(place);
    expect(formatPlace(DEFAULT_PLACE)).toEqual([]);
    expect(parsePlace("?stream=nope&line=-4&step=x&run=a&run=a")).toEqual({ ...DEFAULT_PLACE, runs: ["a"] });
  });
});

describe("a machine", () => {
  it("has a line for each of its GPUs, with what is known of it", () => {
    const facts = {
      cpu: { count: 2 }, memory_bytes: 2 ** 34, cuda: "12.4", swap_bytes: null,
      gpus: [{ index: 0, name: "H100", uuid: "GPU-1", memory_bytes: 80 * 2 ** 30, power_limit_watts: 700 }, { index: 1, name: null }],
    };
    expect(machineFacts(facts)).toEqual([
      ["CPU count", "2"], ["Memory", "16.0 GiB"], ["CUDA", "12.4"],
      ["GPU 0", "H100, 80.0 GiB, limit 700 W"], ["GPU 1", "unknown model"],
    ]);
    expect(machineFacts({ gpus: "<b>" })).toEqual([]);
  });
});

describe("terminal text", () => {
  it("is cut where its look changes, and every other sequence is left out", () => {
    const spans = parseAnsi("a\x1b[1;31mred\x1b[0m\x1b]0;title\x07\x1b[2K b\x1b[38;5;196mx\x1b[39m");
    expect(spans.map((one) => one.text)).toEqual(["a", "red", " b", "x"]);
    expect(spans[1]!.style).toMatchObject({ bold: true, fore: "1" });
    expect(spans[3]!.style.fore).toBe("rgb(255 0 0)");
    expect(withoutAnsi("\x1b[32mok\x1b[0m\x07")).toBe("ok");
  });
});

describe("a patch", () => {
  it("tells files, kinds and line numbers, whatever its lines look like", () => {
    const files = parseDiff([
      "diff --git a/a.py b/a.py", "index 1..2 100644", "--- a/a.py", "+++ b/a.py", "@@ -3,3 +3,3 @@ def f():", " one", "--- two", "+++ three", " four",
      "diff --git a/old name b/new name", "similarity index 100%", "rename from old name", "rename to new name",
      'diff --git "a/\\303\\274.py" "b/\\303\\274.py"', "new file mode 100755", "--- /dev/null", '+++ "b/\\303\\274.py"', "@@ -0,0 +1 @@", "+x",
      "\\ No newline at end of file", "diff --git a/p.png b/p.png", "Binary files a/p.png and b/p.png differ", "",
    ].join("\n"));
    expect(files.map(({ path, status, added, removed }) => [path, status, added, removed])).toEqual([
      ["a.py", "modified", 1, 1], ["new name", "renamed", 0, 0], ["ü.py", "added", 1, 0], ["p.png", "binary", 0, 0],
    ]);
    expect(files[0]!.hunks[0]!.lines[1]).toEqual({ kind: "-", text: "-- two", old: 4, new: null });
    expect(files[2]!.mode).toBe("100755");
  });

  it("is made of two texts and turns one into the other", () => {
    const random = (() => { let n = 7; return () => (n = (n * 16807) % 2147483647) / 2147483647; })();
    for (let round = 0; round < 200; round++) {
      const before = Array.from({ length: Math.floor(random() * 30) }, () => String(Math.floor(random() * 6)));
      const after = before.flatMap((line) => (random() < 0.2 ? [] : random() < 0.2 ? [line, "new"] : [line]));
      const result: string[] = [];
      let at = 0;
      for (const hunk of diffTexts(before.join("\n"), after.join("\n"))) {
        for (const line of hunk.lines) {
          if (line.old !== null) {
            while (at < line.old - 1) result.push(before[at++]!);
            expect(line.text).toBe(before[at]);
            at += 1;
          }
          if (line.kind !== "-") {
            // a line that is only in the new text stands behind all the old ones before it
            result.push(line.text);
          }
        }
      }
      while (at < before.length) result.push(before[at++]!);
      if (before.join("\n") !== "" && after.join("\n") !== "") expect(result).toEqual(after);
    }
  });
});

describe("small parts", () => {
  it("reads coloured words back as text", () => {
    expect(wordsOf('<span class="hljs-string">&lt;b&gt;\nx</span> <img')).toEqual([
      [["<b>", "hljs-string"]], [["x", "hljs-string"], [" ", ""], ["<", ""], ["img", ""]],
    ]);
  });

  it("makes a tree of paths: folders first, natural order", () => {
    const file = (path: string) => ({ path, sha256: null, size: 5, type: null, role: "save", state: "ok", why: null, t: 0, present: true, meta: {} });
    const rows = treeRows([file("b.txt"), file("ckpt/10.pt"), file("ckpt/9.pt")], () => true);
    expect(rows.map((one) => [one.name, one.depth, one.bytes])).toEqual([["ckpt", 0, 10], ["9.pt", 1, 5], ["10.pt", 1, 5], ["b.txt", 0, 5]]);
  });

  it("tells bytes from text", () => {
    expect(isBinary("plain\ttext ü\n")).toBe(false);
    expect(isBinary("a\0b")).toBe(true);
  });

  it("finds the step at or before", () => {
    expect([nearest([0, 10, 20], 9), nearest([0, 10, 20], 10), nearest([5, 10], 1), nearest([0, 10], 99)]).toEqual([0, 1, 0, 1]);
  });

  it("compares values by what they hold", () => {
    const rows = valueRows([{ a: 1, o: [{ x: 1, y: 2 }] }, { a: 1, o: [{ y: 2, x: 1 }], b: null }]);
    expect(rows.map((one) => [one.key, one.differs])).toEqual([["a", false], ["b", true], ["o", false]]);
    expect(bestOf([3, 1, "NaN"], "minimize")).toBe(1);
    expect(bestOf([1, 1], "minimize")).toBe(null);
    expect(bestOf([3, 1], null)).toBe(null);
  });
});
