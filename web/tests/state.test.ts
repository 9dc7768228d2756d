import { describe, expect, it } from "vitest";
import { metricMatcher, sections } from "../src/components/sections";
import { toggleSort } from "../src/components/sorting";
import { flatten } from "../src/run/values";
import { assignSlots, CLEAREST, SLOTS } from "../src/state/colours";
import { backOff } from "../src/live/stream";
import { searchFilter } from "../src/state/runs";

describe("colours", () => {
  const ids = Array.from({ length: 30 }, (_, i) => `run-${i}`);

  it("differ among the runs that are shown together, as far as there are colours", () => {
    const slots = assignSlots(ids.slice(0, SLOTS * 2), new Map());
    expect(new Set(slots.values()).size).toBe(SLOTS * 2);
  });

  it("are the clearest ones while those suffice", () => {
    const slots = assignSlots(ids.slice(0, CLEAREST), new Map());
    expect([...slots.values()].sort()).toEqual(Array.from({ length: CLEAREST }, (_, i) => i));
  });

  it("stay with a run whatever else is shown", () => {
    const known = new Map<string, number>();
    const first = assignSlots(ids.slice(0, 5), known).get("run-3");
    assignSlots(ids.slice(10), known);
    expect(assignSlots(["run-29", "run-3"], known).get("run-3")).toBe(first);
  });
});

describe("sections", () => {
  it("are the prefixes, in natural order, unprefixed metrics first and pinned ones above", () => {
    const found = sections(["val/a", "layer10/w", "layer2/w", "loss", "val/b"], ["val/b", "gone"]);
    expect(found.map((one) => one.name)).toEqual(["\0pinned", "", "layer2", "layer10", "val"]);
    expect(found[0]!.keys).toEqual(["val/b"]);
  });

  it("are searched by regular expression, or by plain text when that does not parse", () => {
    expect(["val/acc", "acc_val"].filter(metricMatcher("^val").matches)).toEqual(["val/acc"]);
    expect(metricMatcher("loss(").isPlain).toBe(true);
    expect(["loss(x)", "loss"].filter(metricMatcher("loss(").matches)).toEqual(["loss(x)"]);
  });
});

describe("sorting", () => {
  it("turns round on the second click and ends on the third", () => {
    expect(toggleSort("-created", "config.lr", false)).toBe("config.lr");
    expect(toggleSort("config.lr", "config.lr", false)).toBe("-config.lr");
    expect(toggleSort("-config.lr", "config.lr", false)).toBe("-created");
    expect(toggleSort("config.lr", "summary.val/acc", true)).toBe('config.lr,summary."val/acc"');
  });
});

describe("small things", () => {
  it("search text is matched as it is written", () => {
    expect(searchFilter('a.b"(')).toBe('name ~ "(?i)a\\\\.b\\"\\\\("');
    expect(searchFilter("  ")).toBe("");
    expect(searchFilter("seed [12]$")).toBe('(name ~ "(?i)seed \\\\[12\\\\]\\\\$" or name ~ "(?i)seed [12]$")');
    expect(searchFilter("(?<x>a)")).not.toContain(" or "); // Python reads it otherwise
  });

  it("back-off doubles, with some chance in it, and has an end", () => {
    expect(backOff(0, 0)).toBe(1000);
    expect(backOff(3, 0)).toBe(8000);
    expect(backOff(50, 1)).toBe(39_000);
  });

  it("nested config reads as dotted keys", () => {
    expect(flatten({ a: { b: 1, c: [1, 2] }, d: {}, e: null })).toEqual([["a.b", 1], ["a.c", [1, 2]], ["d", {}], ["e", null]]);
  });
});
