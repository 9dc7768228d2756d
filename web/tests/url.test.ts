import { describe, expect, it } from "vitest";
import { DEFAULT_VIEW, formatView, parseRoute, parseView, runPath, type View } from "../src/state/url";

describe("the address", () => {
  it("writes nothing for the default view", () => {
    expect(formatView(DEFAULT_VIEW)).toBe("");
  });

  it("brings every setting back unchanged", () => {
    const view: View = {
      search: "a&b=c", filter: 'summary."val/acc" > 0.9', sort: "-summary.x,config.lr", columns: ["config.lr", "summary.a,b"],
      freeze: ["config.lr"], widths: ["config.a:b:120"], differ: true, by: "tags", fold: ['["a"]', "null"],
      hide: ["r1"], show: ["r2", "r3"], only: "r9", top: ["r4"], lines: 20, pane: "charts", metric: "^val/(a|b)$", x: "metric:epoch #1",
      smooth: 12, smoothBy: "gauss", group: "config.model/a b", centre: "median", band: "quantiles:0.1", expand: ["0.1", "null", '"<x>"'],
      colour: "config.lr", baseline: "r2", logX: true, logY: true, outliers: true, zoom: { min: -1.5, max: 1e6 }, shut: ["train", "-"], pin: ["<b>"],
      full: "ü/🚀", size: "l",
      cards: [{ key: "a&b", low: -1, high: null, logY: true, height: 300, span: 2, isAlone: true, zoom: { min: 1, max: 2.5 } }],
      own: [{ id: "x1", kind: "scatter", title: "ü", fields: ["config.lr", "summary.a,b"], expression: "", colour: "config.n" }],
      moves: [["a", "b"], ["c", ""]], tab: "console",
    };
    expect(parseView(formatView(view))).toEqual(view);
  });

  it("falls back to the defaults for what does not parse", () => {
    const view = parseView("?lines=many&smooth=7&zoom=5~1&x=sideways&size=xxl&pane=&tab=nope&log=q&card=%7B&card=3&own=%7B%22k%22%3A%22pie%22%7D&move=1&band=box");
    expect(view).toEqual({ ...DEFAULT_VIEW, smooth: 0.999 });
  });

  it("keeps hostile project names one path part", () => {
    const path = runPath("a b/../%2e?#<script>", "id-1");
    expect(parseRoute(path)).toEqual({ page: "run", project: "a b/../%2e?#<script>", run: "id-1" });
    expect(parseRoute("/p/%E0%A4%A")).toEqual({ page: "workspace", project: "%E0%A4%A" });
    expect(parseRoute("/other")).toEqual({ page: "unknown" });
  });
});
