/** Empty, failed and waiting places: each says what is so and what to do next. */

import type { ComponentChildren } from "preact";
import type { ApiError } from "../api/client";

export function Notice({ title, children, tone = "plain" }: { title: string; children?: ComponentChildren; tone?: "plain" | "bad" }) {
  return (
    <div class={`notice notice-${tone}`} role={tone === "bad" ? "alert" : "status"}>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function ErrorNotice({ error, onRetry }: { error: ApiError; onRetry?: () => void }) {
  return (
    <Notice title={error.message} tone="bad">
      {error.hint && <p>{error.hint}</p>}
      {onRetry && <button class="button" onClick={onRetry}>Try again</button>}
    </Notice>
  );
}

/** Code to copy into a script or a shell. */
export function Snippet({ code, label }: { code: string; label: string }) {
  const copy = (event: MouseEvent): void => {
    const button = event.currentTarget as HTMLButtonElement;
    void navigator.clipboard?.writeText(code).then(() => {
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
  };
  return (
    <div class="snippet">
      <pre aria-label={label}><code>{code}</code></pre>
      <button class="button button-quiet" onClick={copy}>Copy</button>
    </div>
  );
}

export const FIRST_RUN = (project: string): string =>
  `from outrider import core

core.init(project=${JSON.stringify(project)})
core.log({"loss": 0.3})
core.finish()`;
