import { describe, expect, it } from "vitest";
import { entryFor, type SeriesSpec } from "../src/state/series";
import { portions } from "../src/state/ticks";

const due = (key: string, runs: readonly string[], more: Partial<SeriesSpec> = {}) =>
  ({ entry: entryFor({ project: "p", key, x: "step", zoom: null, width: 400, smooth: null, ...more }), runs });
const keys = (all: Parameters<typeof portions>[0]) => portions(all).map((one) => one.entries.map(({ spec }) => spec.key));

describe("a tick", () => {
  it("is one request for the charts of which the same runs have grown over the same window", () => {
    expect(keys([due("a", ["r"]), due("b", ["r", "s"]), due("c", ["r"]), due("d", ["r"], { width: 800 })])).toEqual([["a", "c"], ["b"], ["d"]]);
  });

  it("asks for no more lines than an answer should hold, and for one chart however many it has", () => {
    const runs = (count: number) => Array.from({ length: count }, (_, i) => `run-${i}`);
    const [some, many] = [runs(90), runs(500)];
    expect(keys([due("a", some), due("b", some), due("c", some)])).toEqual([["a", "b"], ["c"]]);
    expect(keys([due("a", many), due("b", many)])).toEqual([["a"], ["b"]]);
  });

  it("keeps addresses short whatever metrics are called", () => {
    const long = (letter: string) => letter.repeat(9000);
    expect(keys([due(long("a"), ["r"]), due(long("b"), ["r"]), due("c", ["r"])]).map((one) => one.length)).toEqual([1, 2]);
  });
});
