/** Which charts there are and in which sections: by the prefix before the first slash. */

export interface Section { name: string; keys: string[] }

export const PINNED = "pinned";
export const OWN = "own";

/** A search for metrics: a regular expression, or plain text when it does not parse as one. */
export function metricMatcher(text: string): { matches: (key: string) => boolean; isPlain: boolean } {
  const words = text.trim();
  if (!words) return { matches: () => true, isPlain: false };
  try {
    const pattern = new RegExp(words, "i");
    return { matches: (key) => pattern.test(key), isPlain: false };
  } catch {
    return { matches: (key) => key.toLowerCase().includes(words.toLowerCase()), isPlain: true };
  }
}

export function sectionOf(key: string): string {
  const slash = key.indexOf("/");
  return slash > 0 ? key.slice(0, slash) : "";
}

/** Keys in natural order (`layer2` before `layer10`), metrics without a prefix first, pinned ones above all. */
export function sections(keys: readonly string[], pinned: readonly string[]): Section[] {
  const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const groups = new Map<string, string[]>();
  for (const key of [...keys].sort(order.compare)) {
    const name = sectionOf(key);
    groups.set(name, [...(groups.get(name) ?? []), key]);
  }
  const names = [...groups.keys()].sort((a, b) => (a === "" ? -1 : b === "" ? 1 : order.compare(a, b)));
  const result = names.map((name) => ({ name, keys: groups.get(name)! }));
  const top = pinned.filter((key) => keys.includes(key));
  return top.length > 0 ? [{ name: `\0${PINNED}`, keys: top }, ...result] : result;
}

export const sectionTitle = (name: string): string =>
  (name === "" ? "Metrics" : name === `\0${PINNED}` ? "Pinned" : name === `\0${OWN}` ? "Own charts" : name);
