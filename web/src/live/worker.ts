/**
 * The event stream of all pages of this browser. A browser opens six connections to a server that speaks HTTP/1.1:
 * with a stream a page, the seventh page would wait for ever.
 */

import { Stream, type Told } from "./stream";

/** What a page says: the project that it follows, or null; `hurry` when the network came back. */
export type Asked = { project: string | null } | "hurry";

const pages = new Map<MessagePort, string | null>();

const stream = new Stream((told) => {
  for (const [port, project] of pages)
    if (project !== null && (told.kind !== "change" || told.change.project === project)) port.postMessage(told);
});

declare const self: { onconnect: ((event: MessageEvent) => void) | null };

self.onconnect = (event) => {
  const port = event.ports[0]!;
  pages.set(port, null);
  port.onmessage = ({ data }: MessageEvent<Asked>) => {
    if (data === "hurry") return stream.hurry();
    pages.set(port, data.project);
    // a page that comes to a stream that is there hears how it is; nothing was missed that it could know of
    if (data.project !== null) port.postMessage({ kind: "state", state: stream.state } satisfies Told);
    stream.want([...pages.values()].filter((name) => name !== null));
  };
};
