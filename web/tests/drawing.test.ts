import { describe, expect, it } from "vitest";
import type { RunRow, SeriesData } from "../src/api/types";
import { drawLines, type Line } from "../src/chart/draw";
import { fileName, toCsv } from "../src/chart/export";
import { lineCells } from "../src/chart/linePicture";
import { SvgPen } from "../src/chart/svgPen";
import { ticksOf } from "../src/chart/axes";
import { givenRange, makeScale } from "../src/chart/scale";
import { rowsAt } from "../src/chart/hover";
import { placeOf, pointsAt } from "../src/components/ChartTools";
import { dimension } from "../src/own/dimension";
import { barsOf, distanceTo } from "../src/own/drawings";
import { columnOf, histogram } from "../src/own/histogram";
import { inOrder, walk, type Spot } from "../src/own/walk";

const data = (run: string, last: number[], more: Partial<SeriesData> = {}): SeriesData =>
  ({ run, exact: true, total: last.length, x: last.map((_v, i) => i), step: last.map((_v, i) => i), time: last.map((_v, i) => i), last, marks: [], ...more });
const line = (name: string, last: number[], more: Partial<SeriesData> = {}): Line =>
  ({ run: name, name, colour: "#123456", isDashed: false, data: data(name, last, more) });
const row = (id: string, config: RunRow["config"], summary: RunRow["summary"] = {}): RunRow =>
  ({ id, name: id, config, summary, tags: [], state: "finished" }) as unknown as RunRow;

describe("an SVG file", () => {
  it("holds the lines, and names only as text", () => {
    const pen = new SvgPen();
    drawLines(pen, [line("a", [1, 5, 2])], { left: 0, top: 0, width: 100, height: 50, ratio: 1, x: makeScale({ min: 0, max: 2 }, 0, 100, false), y: makeScale({ min: 0, max: 5 }, 50, 0, false) });
    pen.fillText('<script>"&\u0000', 1, 2);
    const text = pen.document(100, 50, "</title><script>");
    expect(text).toContain('d="M0 40L50 0L100 30"');
    expect(text).not.toContain("<script");
    const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
    expect(parsed.querySelector("text")?.textContent).toBe('<script>"&\ufffd');
  });

  it("marks values beyond the shown range at its edge", () => {
    const count = (high: number): number => {
      const pen = new SvgPen();
      drawLines(pen, [line("a", Array.from({ length: 30 }, (_v, i) => (i === 3 ? 100 : 1)))], { left: 0, top: 0, width: 100, height: 50, ratio: 1, x: makeScale({ min: 0, max: 29 }, 0, 100, false), y: makeScale({ min: 0, max: high }, 50, 0, false) });
      return pen.document(1, 1, "").split("Z").length - 1;
    };
    expect(count(5)).toBe(1);
    expect(count(200)).toBe(0);
  });

  it("clips as a canvas does", () => {
    const pen = new SvgPen();
    pen.save();
    pen.beginPath();
    pen.rect(0, 0, 5, 5);
    pen.clip();
    pen.fillRect(0, 0, 9, 9);
    pen.restore();
    expect(pen.document(9, 9, "")).toMatch(/<g clip-path="url\(#clip0\)"><rect [^>]*\/><\/g><\/svg>/);
  });
});

describe("a CSV file", () => {
  it("quotes, and lets no cell become a formula", () => {
    expect(toCsv({ head: ["run", "x"], rows: [['a,"b"', 1e-7], ["=1+1", null], ["-Infinity", 2]] })).toBe('run,x\r\n"a,""b""",1e-7\r\n\'=1+1,\r\n-Infinity,2\r\n');
    expect(fileName("train/loss <ü> 🚀", "csv")).toBe("train_loss_ü.csv");
    expect(fileName("///", "png")).toBe("chart.png");
  });

  it("holds each point of the window, and what is no number in its place", () => {
    const cells = lineCells([line("a", [1, 2, 3, 4], { marks: [{ x: 2, step: 2, value: "NaN", count: 1 }] })], { min: 1, max: 2 }, "step");
    expect(cells.rows.map((one) => [one[1], one[4]])).toEqual([[1, 2], [2, 3], [2, "NaN"]]);
  });
});

describe("axes", () => {
  it("have round values within their range", () => {
    expect(ticksOf({ range: { min: 0.13, max: 0.91 }, isLog: false, kind: "number" }, 4).values.map((one) => one.toFixed(2))).toEqual(["0.20", "0.40", "0.60", "0.80"]);
    expect(ticksOf({ range: { min: 1e-4, max: 1e-1 }, isLog: true, kind: "number" }, 4).values).toEqual([1e-4, 1e-3, 1e-2, 1e-1]);
    expect(ticksOf({ range: { min: 3, max: 3 }, isLog: false, kind: "number" }, 4).values.length).toBeLessThan(5);
  });

  it("take the ends that were given, as far as that is possible", () => {
    expect(givenRange({ min: 1, max: 9 }, 0, null, false)).toEqual({ min: 0, max: 9 });
    expect(givenRange({ min: 1, max: 9 }, 20, null, false).max).toBeGreaterThan(20);
    expect(givenRange({ min: 1, max: 9 }, -5, 100, true)).toEqual({ min: 1, max: 100 });
    expect(givenRange({ min: 1, max: 9 }, 5, 2, false)).toEqual({ min: 1, max: 9 });
  });
});

describe("the baseline", () => {
  it("is what the other values are compared with", () => {
    const rows = rowsAt([line("a", [1, 5]), { ...line("b", [1, 2]), isBase: true }], 1, { min: 0, max: 1 });
    expect(rows.map((one) => [one.run, one.delta])).toEqual([["a", 3], ["b", null]]);
  });
});

describe("smoothing by points", () => {
  it("has a slider that comes back to where it was", () => {
    expect([0, 0.5, 0.99].map(pointsAt)).toEqual([0, 33, 1000]);
    for (const points of [1, 2, 7, 33, 400, 1000]) expect(pointsAt(placeOf(points))).toBe(points === 1 ? 1 : points);
  });
});

describe("values of runs", () => {
  const rows = [row("a", { lr: 0.1, m: "cnn" }, { acc: 0.5 }), row("b", { lr: 1e-4, m: "mlp" }, { acc: "NaN" }), row("c", { m: "cnn" }, { acc: 0.9 })];

  it("are numbers, on a log scale where they span decades, or words", () => {
    const lr = dimension("config.lr", rows);
    expect(lr.axis.isLog).toBe(true);
    expect([lr.place(rows[0]!), lr.place(rows[2]!)]).toEqual([0.1, null]);
    expect(dimension("config.m", rows).axis.names).toEqual(["cnn", "mlp"]);
    expect(dimension("summary.acc", rows).place(rows[1]!)).toBeNull();
  });

  it("make bars, largest first, of runs or of groups", () => {
    const acc = dimension("summary.acc", rows);
    expect(barsOf(rows, acc, null, () => "", () => "").map((one) => one.id)).toEqual(["c", "a"]);
    expect(barsOf(rows, acc, dimension("config.m", rows), () => "", () => "")).toMatchObject([{ name: "m cnn", value: 0.7, low: 0.5, high: 0.9, count: 2 }]);
  });

  it("are found under the pointer", () => {
    expect(distanceTo([{ x: 0, y: 0 }, { x: 10, y: 0 }], 5, 3)).toBe(3);
    expect(distanceTo([], 5, 3)).toBe(Infinity);
  });

  it("are gone through by keys, from any side, and not beyond an end", () => {
    const spot = (id: string, left: number, top: number): Spot => ({ id, left, top, hit: { run: id, title: id, facts: [] } });
    const all = [spot("a", 5, 1), spot("b", 0, 9), spot("c", 5, 0)];
    const spots = { across: inOrder(all, "left"), down: inOrder(all, "top") };
    const to = (at: string | null, key: string, shiftKey = false): string | undefined => walk(spots, at, { key, shiftKey })?.id;
    expect([to(null, "ArrowRight"), to("b", "ArrowRight"), to("c", "ArrowRight"), to("a", "ArrowRight")]).toEqual(["b", "c", "a", "a"]);
    expect([to(null, "ArrowUp"), to("b", "ArrowUp"), to("b", "ArrowUp", true), to("gone", "Home"), to("b", "End")]).toEqual(["b", "a", "c", "b", "a"]);
    expect(walk(spots, "a", { key: "x", shiftKey: false })).toBeNull();
    expect(walk({ across: [], down: [] }, null, { key: "ArrowRight", shiftKey: false })).toBeNull();
  });

  it("of a histogram are its bins: the fullest first, then along a height or a column", () => {
    const columns = [{ step: 0, counts: [1, 5, 1], edges: [0, 1, 2, 3] }, { step: 1, counts: [2, 2], edges: [-4, 0, 4] }];
    const look = { palette: { lines: [], text: "", surface: "", axis: "", grid: "", font: "" }, ramp: ["#000000", "#ffffff"] };
    const { spots } = histogram(columns, { id: "r", name: "r" }, "w", look);
    expect(spots(null, 300, 200).across.map((one) => one.id)).toEqual(["0 1", "1 1"]);
    expect(spots("1 0", 300, 200).down.map((one) => one.id)).toEqual(["1 1", "1 0"]);
    expect(spots("1 0", 300, 200).across.map((one) => one.id)).toEqual(["0 0", "1 0"]);
    expect(spots("9 9", 300, 200).across[0]?.hit.facts).toEqual([["1 … 2", "5 (71.4 %)"]]);
  });

  it("of histograms are counts and edges, or nothing", () => {
    expect(columnOf(3, { counts: [1, 2], edges: [0, 1, 2] })).toEqual({ step: 3, counts: [1, 2], edges: [0, 1, 2] });
    for (const wrong of [null, {}, { counts: [1], edges: [1] }, { counts: ["1"], edges: [0, 1] }]) expect(columnOf(3, wrong)).toBeNull();
  });
});
