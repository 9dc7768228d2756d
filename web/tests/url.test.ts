import { describe, expect, it } from "vitest";
import { DEFAULT_VIEW, formatView, parseRoute, parseView, runPath, type View } from "../src/state/url";

describe("the address", () => {
  it("writes nothing for the default view", () => {
    expect(formatView(DEFAULT_VIEW)).toBe("");
  });

  it("brings every setting back unchanged", () => {
    const view: View = {
      search: "a&b=c", filter: 'summary."val/acc" > 0.9', sort: "-summary.x,config.lr", columns: ["config.lr", "summary.a,b"],
      hide: ["r1"], show: ["r2", "r3"], only: "r9", lines: 20, pane: "charts", metric: "^val/(a|b)$", x: "metric:epoch #1",
      smooth: 0.95, logX: true, logY: true, outliers: true, zoom: { min: -1.5, max: 1e6 }, shut: ["train", "-"], pin: ["<b>"],
      full: "ü/🚀", size: "l", tab: "console",
    };
    expect(parseView(formatView(view))).toEqual(view);
  });

  it("falls back to the defaults for what does not parse", () => {
    const view = parseView("?lines=many&smooth=7&zoom=5~1&x=sideways&size=xxl&pane=&tab=nope&log=q");
    expect(view).toEqual({ ...DEFAULT_VIEW, smooth: 0.999 });
  });

  it("keeps hostile project names one path part", () => {
    const path = runPath("a b/../%2e?#<script>", "id-1");
    expect(parseRoute(path)).toEqual({ page: "run", project: "a b/../%2e?#<script>", run: "id-1" });
    expect(parseRoute("/p/%E0%A4%A")).toEqual({ page: "workspace", project: "%E0%A4%A" });
    expect(parseRoute("/other")).toEqual({ page: "unknown" });
  });
});
