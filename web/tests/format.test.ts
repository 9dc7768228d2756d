import { describe, expect, it } from "vitest";
import { formatNumber, formatTick } from "../src/format/number";
import { formatAgo, formatDuration } from "../src/format/time";
import { durationTick, logTick } from "../src/chart/axis";

describe("numbers", () => {
  it.each([
    [0, "0"], [0.1, "0.1"], [0.123456, "0.1235"], [1234567, "1,234,567"], [123456.789, "123457"], [1.5e-7, "1.5e-7"],
    [-2.5, "−2.5"], [NaN, "NaN"], [Infinity, "∞"], [-Infinity, "−∞"], [1e21, "1e21"], [100, "100"],
  ])("%s reads %s", (value, text) => expect(formatNumber(value)).toBe(text));

  it("gives neighbouring ticks different labels", () => {
    expect([0.25, 0.5, 0.75].map((v) => formatTick(v, 0.25))).toEqual(["0.25", "0.50", "0.75"]);
    expect([10000, 10500].map((v) => formatTick(v, 500))).toEqual(["10.0k", "10.5k"]);
    expect([0.001, 0.01, 0.1, 1, 10000].map(logTick)).toEqual(["0.001", "0.01", "0.1", "1", "1e4"]);
  });
});

describe("times", () => {
  it.each([[0.25, "0.25s"], [4, "4s"], [75, "1m 15s"], [3960, "1h 06m"], [200000, "2d 07h"], [null, "–"]])(
    "%s seconds reads %s", (value, text) => expect(formatDuration(value)).toBe(text));

  it("counts back from the server's now", () => {
    expect(formatAgo(100, 103)).toBe("just now");
    expect(formatAgo(100, 100 + 7300)).toBe("2h ago");
    expect(formatAgo(200, 100)).toBe("just now"); // a clock that is ahead
  });

  it("labels durations in the unit of their distance", () => {
    expect(durationTick(1800, 600)).toBe("30m");
    expect(durationTick(0, 600)).toBe("0");
  });
});
