/** Times and durations for people. Input is unix seconds; the server's clock decides what "now" is. */

let skewSeconds = 0;

/** Tells how far the server's clock is ahead of the browser's (from the Date header). */
export function learnServerTime(dateHeader: string | null): void {
  const server = dateHeader ? Date.parse(dateHeader) / 1000 : NaN;
  if (!Number.isFinite(server)) return;
  const skew = server - Date.now() / 1000;
  // the header has whole seconds: a smaller skew is noise
  skewSeconds = Math.abs(skew) > 3 ? skew : 0;
}

const two = (n: number): string => String(n).padStart(2, "0");

/** `75` → `1m 15s`, `4000` → `1h 06m`, `200000` → `2d 07h`. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds < 0) return `−${formatDuration(-seconds)}`;
  if (seconds > 0 && seconds < 10) return `${trim(seconds.toFixed(seconds < 1 ? 2 : 1))}s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${two(s % 60)}s`;
  if (s < 86400) return `${Math.floor(s / 3600)}h ${two(Math.floor((s % 3600) / 60))}m`;
  return `${Math.floor(s / 86400)}d ${two(Math.floor((s % 86400) / 3600))}h`;
}

const trim = (text: string): string => text.replace(/\.?0+$/, "");

/** `just now`, `12s ago`, `5m ago`, `3h ago`, `2d ago`, then the date; `now` is the browser's, which may be an hour off. */
export function formatAgo(time: number | null | undefined, now: number = Date.now() / 1000): string {
  if (time === null || time === undefined) return "–";
  const gone = now + skewSeconds - time;
  if (gone < 5) return "just now";
  if (gone < 60) return `${Math.floor(gone)}s ago`;
  if (gone < 3600) return `${Math.floor(gone / 60)}m ago`;
  if (gone < 86400) return `${Math.floor(gone / 3600)}h ago`;
  if (gone < 30 * 86400) return `${Math.floor(gone / 86400)}d ago`;
  return new Date(time * 1000).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}

/** The full local time, for titles and tables. */
export function formatTime(time: number | null | undefined): string {
  if (time === null || time === undefined) return "–";
  return new Date(time * 1000).toLocaleString(undefined, {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  });
}
