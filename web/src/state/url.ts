/** The address bar is the state of the view: everything a user sets is in the URL, and a link shows the same view. */

import { computed, signal } from "@preact/signals";
import { formatCard, formatMove, formatOwn, parseCard, parseMove, parseOwn, type CardSetting, type Move, type OwnChart } from "./cards";
import { PLACE_WORDS, RUN_TABS, type RunTab } from "../run/words";

export type Route =
  | { page: "projects" }
  | { page: "workspace"; project: string }
  | { page: "run"; project: string; run: string }
  | { page: "compare"; project: string }
  | { page: "unknown" };

export interface Zoom { min: number; max: number }
export type Pane = "both" | "runs" | "charts";
export type SmoothBy = "ema" | "mean" | "gauss";
export type Centre = "mean" | "median";

/** What the user set, with its defaults. Only what differs from the defaults is written to the URL. */
export interface View {
  search: string;
  filter: string;
  sort: string;
  /** Columns of the list in their order; `-created` takes a column away that is there by itself. */
  columns: string[];
  /** Columns that stay in sight when the list is scrolled sideways. */
  freeze: string[];
  /** `config.lr:120`: columns whose width was dragged, in pixels. */
  widths: string[];
  /** Config columns are shown where runs differ, and only there. */
  differ: boolean;
  /** Rows with one value of this stand together. */
  by: string | null;
  /** The row groups (values as JSON) that are closed. */
  fold: string[];
  hide: string[];
  show: string[];
  only: string | null;
  /** Runs that stand above the list and are drawn. */
  top: string[];
  lines: number;
  pane: Pane;
  metric: string;
  x: string;
  /** The weight of what came before for `ema`, points for `mean` and `gauss`; 0 is none. */
  smooth: number;
  smoothBy: SmoothBy;
  /** Runs are drawn as groups of one value of this: `config.lr`, `tags`, `group`, … */
  group: string | null;
  centre: Centre;
  /** `minmax`, `std`, `stderr`, `none` or `quantiles:0.25`. */
  band: string;
  /** The groups (values as JSON) whose runs are drawn too. */
  expand: string[];
  /** Lines are coloured by this value, on a scale. */
  colour: string | null;
  /** The run that all others are compared with. */
  baseline: string | null;
  logX: boolean;
  logY: boolean;
  outliers: boolean;
  zoom: Zoom | null;
  shut: string[];
  pin: string[];
  full: string | null;
  size: "s" | "m" | "l";
  cards: CardSetting[];
  own: OwnChart[];
  moves: Move[];
  tab: RunTab;
}

export const DEFAULT_VIEW: View = {
  search: "", filter: "", sort: "-created", columns: [], freeze: [], widths: [], differ: false, by: null,
  fold: [], hide: [], show: [], only: null, top: [], lines: 10, pane: "both",
  metric: "", x: "step", smooth: 0, smoothBy: "ema", group: null, centre: "mean", band: "minmax", expand: [],
  colour: null, baseline: null, logX: false, logY: false, outliers: false, zoom: null, shut: [], pin: [],
  full: null, size: "m", cards: [], own: [], moves: [], tab: "charts",
};

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

export function parseRoute(pathname: string): Route {
  const parts = pathname.split("/").filter((one) => one !== "").map(decode);
  if (parts.length === 0) return { page: "projects" };
  const [mark, project, runMark, run] = parts;
  if (mark === "p" && project !== undefined) {
    if (parts.length === 2) return { page: "workspace", project };
    if (parts.length === 3 && runMark === "compare") return { page: "compare", project };
    if (parts.length === 4 && runMark === "r" && run !== undefined) return { page: "run", project, run };
  }
  return { page: "unknown" };
}

export const projectPath = (project: string): string => `/p/${encodeURIComponent(project)}`;
export const comparePath = (project: string, runs: readonly string[]): string =>
  `${projectPath(project)}/compare?${new URLSearchParams(runs.map((run) => ["run", run]))}`;
export const runPath = (project: string, run: string): string => `${projectPath(project)}/r/${encodeURIComponent(run)}`;

function number(text: string | null, low: number, high: number, otherwise: number): number {
  const value = text === null || text === "" ? NaN : Number(text);
  return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : otherwise;
}

const oneOf = <T extends string>(text: string | null, choices: readonly T[], otherwise: T): T =>
  choices.includes(text as T) ? (text as T) : otherwise;

function parseZoom(text: string | null): Zoom | null {
  const [min, max] = (text ?? "").split("~").map(Number);
  return min !== undefined && max !== undefined && Number.isFinite(min) && Number.isFinite(max) && max > min
    ? { min, max }
    : null;
}

const MOST_SMOOTH = 10_000;

/** `0.9` is an exponential average of that weight, `mean:20` and `gauss:5` are in points. */
function parseSmooth(text: string | null): Pick<View, "smooth" | "smoothBy"> {
  const [first, amount] = (text ?? "").split(":");
  if (amount !== undefined && (first === "mean" || first === "gauss"))
    return { smooth: Math.round(number(amount, 0, MOST_SMOOTH, 0)), smoothBy: first };
  return { smooth: number(text, 0, 0.999, 0), smoothBy: "ema" };
}

export const BANDS = ["minmax", "std", "stderr", "quantiles:0.25", "quantiles:0.1", "quantiles:0.05", "none"] as const;

const parsed = <T,>(texts: readonly string[], parse: (text: string) => T | null): T[] => texts.map(parse).filter((one): one is T => one !== null);

/** Reads a view from a query string; what does not parse falls back to its default, so that no link can break. */
export function parseView(search: string): View {
  const words = new URLSearchParams(search);
  const base = DEFAULT_VIEW;
  const x = words.get("x") ?? "";
  return {
    search: words.get("q") ?? "",
    filter: words.get("filter") ?? "",
    sort: words.get("sort") || base.sort,
    columns: words.getAll("col"),
    freeze: words.getAll("freeze"),
    widths: words.getAll("width"),
    differ: words.get("differ") === "1",
    by: words.get("by") || null,
    fold: words.getAll("fold"),
    hide: words.getAll("hide"),
    show: words.getAll("show"),
    only: words.get("only"),
    top: words.getAll("top"),
    lines: Math.round(number(words.get("lines"), 1, 100, base.lines)),
    pane: oneOf(words.get("pane"), ["both", "runs", "charts"], base.pane),
    metric: words.get("metric") ?? "",
    x: ["relative", "wall"].includes(x) || x.startsWith("metric:") ? x : base.x,
    ...parseSmooth(words.get("smooth")),
    group: words.get("group") || null,
    centre: oneOf(words.get("centre"), ["mean", "median"], base.centre),
    band: oneOf(words.get("band"), BANDS, "minmax"),
    expand: words.getAll("expand"),
    colour: words.get("colour") || null,
    baseline: words.get("baseline") || null,
    logX: (words.get("log") ?? "").includes("x"),
    logY: (words.get("log") ?? "").includes("y"),
    outliers: words.get("outliers") === "cut",
    zoom: parseZoom(words.get("zoom")),
    shut: words.getAll("shut"),
    pin: words.getAll("pin"),
    full: words.get("full"),
    size: oneOf(words.get("size"), ["s", "m", "l"], base.size),
    cards: parsed(words.getAll("card"), parseCard),
    own: parsed(words.getAll("own"), parseOwn),
    moves: parsed(words.getAll("move"), parseMove),
    tab: oneOf(words.get("tab"), RUN_TABS, base.tab),
  };
}

/** The query string of a view, without what equals the defaults; `parseView` reads it back unchanged. */
export function formatView(view: View): string {
  const words = new URLSearchParams();
  const put = (name: string, value: string | number | null, otherwise: string | number | null): void => {
    if (value !== otherwise && value !== null) words.set(name, String(value));
  };
  const all = (name: string, values: readonly string[]): void => values.forEach((one) => words.append(name, one));
  const base = DEFAULT_VIEW;
  put("tab", view.tab, base.tab);
  put("q", view.search, base.search);
  put("filter", view.filter, base.filter);
  put("sort", view.sort, base.sort);
  all("col", view.columns);
  all("freeze", view.freeze);
  all("width", view.widths);
  put("differ", view.differ ? "1" : "", "");
  put("by", view.by, base.by);
  all("fold", view.fold);
  put("only", view.only, base.only);
  all("top", view.top);
  all("show", view.show);
  all("hide", view.hide);
  put("lines", view.lines, base.lines);
  put("pane", view.pane, base.pane);
  put("metric", view.metric, base.metric);
  put("x", view.x, base.x);
  put("smooth", view.smoothBy === "ema" ? view.smooth : `${view.smoothBy}:${view.smooth}`, base.smooth);
  put("group", view.group, base.group);
  put("centre", view.centre, base.centre);
  put("band", view.band, base.band);
  all("expand", view.expand);
  put("colour", view.colour, base.colour);
  put("baseline", view.baseline, base.baseline);
  put("log", (view.logX ? "x" : "") + (view.logY ? "y" : ""), "");
  put("outliers", view.outliers ? "cut" : "", "");
  put("zoom", view.zoom ? `${view.zoom.min}~${view.zoom.max}` : "", "");
  put("size", view.size, base.size);
  put("full", view.full, base.full);
  all("own", view.own.map(formatOwn));
  all("card", view.cards.map(formatCard));
  all("move", view.moves.map(formatMove));
  all("pin", view.pin);
  all("shut", view.shut);
  const text = words.toString();
  return text ? `?${text}` : "";
}

export const here = signal({ path: location.pathname, search: location.search });
export const route = computed<Route>(() => parseRoute(here.value.path));
export const view = computed<View>(() => parseView(here.value.search));

/** Where the last view of a place is remembered, so that coming back to it shows what was left. */
const memory = (path: string): string => `outrider.view:${path}`;

function remembered(path: string): string {
  try {
    return localStorage.getItem(memory(path)) ?? "";
  } catch {
    return "";
  }
}

function remember(): void {
  try {
    if (parseRoute(location.pathname).page === "workspace")
      localStorage.setItem(memory(location.pathname), location.search);
  } catch {
    // a full or forbidden storage only costs the convenience
  }
}

function settle(): void {
  here.value = { path: location.pathname, search: location.search };
  remember();
}

/** Goes to another page of the site. A workspace opens as it was left unless `path` carries its own view. */
export function go(path: string): void {
  const [place = "/", search] = path.split(/(?=\?)/);
  const restored = search ?? (parseRoute(place).page === "workspace" ? remembered(place) : "");
  history.pushState(null, "", place + restored);
  scrollTo(0, 0);
  settle();
}

/** The same view at another address; the back button does not see the old one. */
export function replacePath(path: string): void {
  history.replaceState(null, "", path + location.search);
  settle();
}

/** Changes the view. `push` makes it a step that the browser's back button undoes (zoom, only, full screen). */
export function setView(change: Partial<View>, { push = false } = {}): void {
  const words = new URLSearchParams(formatView({ ...view.value, ...change }));
  for (const [name, value] of new URLSearchParams(location.search)) if (PLACE_WORDS.includes(name)) words.append(name, value);
  const text = words.toString();
  changeSearch(text ? `?${text}` : "", push);
}

/** Writes a whole new query string; the same one again is nothing. */
export function changeSearch(search: string, push: boolean): void {
  if (search === location.search) return;
  history[push ? "pushState" : "replaceState"](null, "", location.pathname + search);
  settle();
}

/** What the server is asked for: `ema:0.9`, or null for no smoothing. */
export const smoothWords = ({ smooth, smoothBy }: Pick<View, "smooth" | "smoothBy">): string | null =>
  smooth > 0 ? `${smoothBy}:${smooth}` : null;

export function resetView(): void {
  setView({ ...DEFAULT_VIEW, tab: view.value.tab }, { push: true });
}

/** Makes plain links and the back button work without loading the page anew. */
export function followLinks(): void {
  const first = parseRoute(location.pathname);
  if (first.page === "workspace" && location.search === "") {
    history.replaceState(null, "", location.pathname + remembered(location.pathname));
  }
  settle();
  addEventListener("popstate", settle);
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = (event.target as Element | null)?.closest?.("a[href]");
    if (!(link instanceof HTMLAnchorElement) || link.target || link.origin !== location.origin) return;
    if (parseRoute(link.pathname).page === "unknown") return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
