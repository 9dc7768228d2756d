import { describe, expect, it } from "vitest";
import type { SeriesData } from "../src/api/types";
import { nearestRun, rowsAt, windowOfRows } from "../src/chart/hover";
import { makeScale, nearest, xRange, yRange } from "../src/chart/scale";

const exact = (run: string, x: number[], last: number[]): SeriesData =>
  ({ run, exact: true, total: x.length, x, step: x, time: x, last, marks: [] });
const line = (data: SeriesData) => ({ run: data.run, name: data.run, colour: "red", isDashed: false, data });
const linear = { isLog: false, cutOutliers: false };

describe("ranges", () => {
  it("hold a spike that only a bucket's maximum knows", () => {
    const data: SeriesData = { ...exact("a", [0, 1], [1, 1]), exact: false, min: [0, 1], max: [1, 900], mean: [0.5, 1], count: [9, 9] };
    expect(yRange([data], { min: 0, max: 1 }, linear)!.max).toBeGreaterThan(900);
  });

  it("hold the smoothed line too, which lags behind its window", () => {
    const data = { ...exact("a", [0, 1], [12, 14]), smooth: [9, 10] };
    expect(yRange([data], { min: 0, max: 1 }, linear)!.min).toBeLessThan(9);
  });

  it("leave the few wild values out only when asked to", () => {
    const x = Array.from({ length: 100 }, (_, i) => i);
    const data = exact("a", x, x.map((i) => (i === 50 ? 1e6 : i / 100)));
    expect(yRange([data], { min: 0, max: 99 }, linear)!.max).toBeGreaterThan(1e6);
    expect(yRange([data], { min: 0, max: 99 }, { isLog: false, cutOutliers: true })!.max).toBeLessThan(2);
  });

  it("on a log scale know nothing of zero and below", () => {
    expect(yRange([exact("a", [0, 1, 2], [-1, 0, 10])], { min: 0, max: 2 }, { isLog: true, cutOutliers: false })!.min).toBeGreaterThan(0);
    expect(xRange([exact("a", [0, 1, 8], [1, 1, 1])], true)).toEqual({ min: 1, max: 8 });
    expect(makeScale({ min: 1, max: 100 }, 0, 200, true)(10)).toBeCloseTo(100);
    expect(makeScale({ min: 1, max: 100 }, 0, 200, true)(0)).toBeNaN();
  });

  it("reach to marks that lie beyond the last number", () => {
    const data = { ...exact("a", [0, 5], [1, 1]), marks: [{ x: 9, step: 9, value: "NaN", count: 3 }] };
    expect(xRange([data], false)).toEqual({ min: 0, max: 9 });
    expect(xRange([exact("a", [], [])], false)).toBeNull();
  });
});

describe("values under the crosshair", () => {
  const lines = [line(exact("low", [0, 10, 20], [1, 2, 3])), line(exact("high", [0, 10, 20], [7, 8, 9])), line(exact("gone", [0, 1], [5, 5]))];

  it("come from the nearest point, largest first, without lines that ended", () => {
    expect(rowsAt(lines, 11, { min: 0, max: 20 }).map((row) => [row.run, row.value])).toEqual([["high", 8], ["low", 2]]);
    expect(nearest([0, 10, 20], 14)).toBe(1);
    expect(nearest([], 14)).toBe(-1);
  });

  it("name the line that the pointer is near, and keep it among those shown", () => {
    const rows = rowsAt(lines, 10, { min: 0, max: 20 });
    expect(nearestRun(rows, 82, (v) => v * 10)).toBe("high");
    expect(nearestRun(rows, 500, (v) => v * 10)).toBeNull();
    const many = Array.from({ length: 40 }, (_, i) => ({ ...rows[0]!, run: `r${i}` }));
    const { rows: some, more } = windowOfRows(many, "r30");
    expect(some.map((row) => row.run)).toContain("r30");
    expect(some.length + more).toBe(40);
  });
});
