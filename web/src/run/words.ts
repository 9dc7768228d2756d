/** The query words of `place.ts`: the charts' view, which is in the same address, leaves them alone. */
export const PLACE_WORDS: readonly string[] = ["run", "against", "find", "all", "stream", "line", "file", "key", "step"];

/** What the pages of a run and of a comparison can show (`values`: of a comparison only). */
export const RUN_TABS = ["charts", "overview", "system", "console", "code", "files", "artifacts", "media", "alerts", "values"] as const;
export type RunTab = (typeof RUN_TABS)[number];
