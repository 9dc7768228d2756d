import { describe, expect, it } from "vitest";
import { formatCard, formatOwn, moved, parseCard, parseMove, parseOwn, settingOf, withMove, withSetting } from "../src/state/cards";
import { withOwn } from "../src/components/ChartGrid";

describe("a chart's own settings", () => {
  it("are kept only while they differ from the others'", () => {
    const cards = withSetting([], "loss", { low: 0, height: 300 });
    expect(settingOf(cards, "loss")).toMatchObject({ low: 0, high: null, height: 300 });
    expect(withSetting(cards, "loss", { low: null, height: null })).toEqual([]);
    expect(settingOf(cards, "other").height).toBeNull();
  });

  it("come back from the address, held to what is possible", () => {
    const card = { key: "a\"b", low: -1, high: 2, logY: false, height: 200, span: 2, isAlone: true, zoom: { min: 0, max: 1 } };
    expect(parseCard(formatCard(card))).toEqual(card);
    expect(parseCard('{"k":"a","h":99999,"w":-3,"y":[5,1],"z":[2,1]}')).toMatchObject({ height: 1200, span: 1, low: null, high: null, isAlone: true, zoom: null });
    for (const text of ["", "[]", "null", "{}", '{"k":3}', "{"]) expect(parseCard(text)).toBeNull();
  });
});

describe("charts that a user made", () => {
  it("come back from the address, whatever else stands there", () => {
    const chart = { id: "x", kind: "scatter" as const, title: "<b>", fields: ["config.lr", "summary.a"], expression: "", colour: "config.n" };
    expect(parseOwn(formatOwn(chart))).toEqual(chart);
    expect(parseOwn('{"i":"x","k":"pie"}')).toBeNull();
    expect(parseOwn('{"i":"x","k":"bar","f":[1,"a",null],"t":7}')).toMatchObject({ fields: ["a"], title: "" });
  });

  it("stand behind the pinned charts, and can be pinned themselves", () => {
    const found = withOwn([{ name: "\0pinned", keys: ["b"] }, { name: "", keys: ["a", "b"] }], ["own:1", "own:2"], ["own:2", "b", "own:gone"]);
    expect(found).toEqual([
      { name: "\0pinned", keys: ["own:2", "b"] }, { name: "\0own", keys: ["own:1", "own:2"] }, { name: "", keys: ["a", "b"] },
    ]);
  });
});

describe("moves", () => {
  it("put a chart before another, or at the end", () => {
    expect(moved(["a", "b", "c", "d"], [["d", "a"], ["a", ""]])).toEqual(["d", "b", "c", "a"]);
    expect(moved(["a", "b", "c"], [["a", "c"]])).toEqual(["b", "a", "c"]);
    expect(moved(["a", "b"], [["x", "a"], ["a", "x"]])).toEqual(["a", "b"]);
  });

  it("of one chart are one move", () => {
    expect(withMove([["a", "b"], ["c", ""]], ["a", ""])).toEqual([["c", ""], ["a", ""]]);
    expect(parseMove('["a","a"]')).toBeNull();
    expect(parseMove('["a"]')).toBeNull();
  });
});
