/** The query words of `place.ts`: the charts' view, which is in the same address, leaves them alone. */
export const PLACE_WORDS: readonly string[] = ["run", "against", "find", "differing", "stream", "line", "file", "key", "step"];

/** What a run's page can show, in the order of its tabs. */
export const RUN_TABS = ["charts", "overview", "system", "console", "code", "files", "media", "alerts"] as const;
export type RunTab = (typeof RUN_TABS)[number];
