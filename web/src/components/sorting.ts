/** The sort order as the server reads it: `-created,config.lr`. */

interface Key { key: string; isDown: boolean }

// a column's name may hold a comma: the server's own quoting keeps it one word
const quote = (key: string): string => {
  const [, kind, rest] = /^(config|summary|metric)\.(.*)$/s.exec(key) ?? [];
  return kind !== undefined && rest !== undefined && /[^\w.]/.test(rest) ? `${kind}.${JSON.stringify(rest)}` : key;
};

export function splitSort(sort: string): Key[] {
  const words = sort.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [];
  return words.map((word) => word.trim()).filter(Boolean)
    .map((word) => ({ key: word.replace(/^-/, ""), isDown: word.startsWith("-") }));
}

const joinSort = (keys: readonly Key[]): string => keys.map(({ key, isDown }) => (isDown ? "-" : "") + key).join(",");

export function sortDirection(sort: string, column: string): "up" | "down" | null {
  const found = splitSort(sort).find((one) => one.key === quote(column));
  return found ? (found.isDown ? "down" : "up") : null;
}

/** The column's place among several that the list is sorted by, from 1. */
export function sortPlace(sort: string, column: string): number | null {
  const keys = splitSort(sort);
  const at = keys.findIndex((one) => one.key === quote(column));
  return keys.length > 1 && at >= 0 ? at + 1 : null;
}

/** A click: best first, then the other way, then no sort by it. `isMore` keeps the other columns' order behind it. */
export function toggleSort(sort: string, column: string, isMore: boolean): string {
  const key = quote(column);
  const keys = splitSort(sort);
  const present = keys.find((one) => one.key === key);
  const startsDown = key === "created" || key === "duration";
  const next: Key | null = !present ? { key, isDown: startsDown } : present.isDown === startsDown ? { key, isDown: !startsDown } : null;
  if (!isMore) return next ? joinSort([next]) : "-created";
  const changed = present ? keys.flatMap((one) => (one.key === key ? (next ? [next] : []) : [one])) : [...keys, next!];
  return joinSort(changed) || "-created";
}
