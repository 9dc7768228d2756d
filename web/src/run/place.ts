/** What is set on the pages of a run and of a comparison, beside the charts' own view: each in the address. */

import { computed } from "@preact/signals";
import { changeSearch, here } from "../state/url";
import { PLACE_WORDS } from "./words";

export interface Place {
  /** The run whose config or code is beside this one's. */
  against: string | null;
  /** The search in the open tab. */
  find: string;
  /** Beside other runs: also what is the same. */
  all: boolean;
  stream: "all" | "out" | "err";
  /** The console's first shown line, from 0; null follows the end. */
  line: number | null;
  /** The file that is open, by its path. */
  file: string | null;
  /** The shown media keys, side by side; none: all. */
  keys: string[];
  /** The step of media and of compared values; null is the last. */
  step: number | null;
  /** The runs of a comparison, in order: the first is the one that others are measured by. */
  runs: string[];
}

export const DEFAULT_PLACE: Place = {
  against: null, find: "", all: false, stream: "all", line: null, file: null, keys: [], step: null, runs: [],
};

const whole = (text: string | null): number | null => {
  const value = text === null || text === "" ? NaN : Number(text);
  return Number.isSafeInteger(value) ? value : null;
};

/** Reads the place from a query string; what does not parse is as if it were not there. */
export function parsePlace(search: string): Place {
  const words = new URLSearchParams(search);
  const stream = words.get("stream");
  const line = whole(words.get("line"));
  return {
    against: words.get("against"),
    find: words.get("find") ?? "",
    all: words.get("all") === "1",
    stream: stream === "out" || stream === "err" ? stream : "all",
    line: line !== null && line >= 0 ? line : null,
    file: words.get("file"),
    keys: words.getAll("key"),
    step: whole(words.get("step")),
    runs: [...new Set(words.getAll("run"))],
  };
}

/** The query words of a place, without what equals the defaults; `parsePlace` reads them back unchanged. */
export function formatPlace(place: Place): [string, string][] {
  const words: [string, string][] = place.runs.map((run) => ["run", run]);
  if (place.against !== null) words.push(["against", place.against]);
  if (place.find !== "") words.push(["find", place.find]);
  if (place.all) words.push(["all", "1"]);
  if (place.stream !== "all") words.push(["stream", place.stream]);
  if (place.line !== null) words.push(["line", String(place.line)]);
  if (place.file !== null) words.push(["file", place.file]);
  place.keys.forEach((key) => words.push(["key", key]));
  if (place.step !== null) words.push(["step", String(place.step)]);
  return words;
}

export const place = computed<Place>(() => parsePlace(here.value.search));

/** Changes the place and leaves the charts' view as it is. `push`: the back button undoes it. */
export function setPlace(change: Partial<Place>, { push = false } = {}): void {
  const words = new URLSearchParams(here.peek().search);
  PLACE_WORDS.forEach((word) => words.delete(word));
  formatPlace({ ...place.peek(), ...change }).forEach(([name, value]) => words.append(name, value));
  const text = words.toString();
  changeSearch(text ? `?${text}` : "", push);
}
