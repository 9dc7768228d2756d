/** Where the server posts alerts to: for its admins alone. */

import { useSignal } from "@preact/signals";
import { records } from "../../api/records";
import { plural } from "../../format/number";
import { formatAgo } from "../../format/time";
import { noteFailure } from "../../state/store";
import { useResource } from "../resource";

export function Webhook() {
  const found = useResource("webhook", (signal) => records.webhook(signal));
  const problem = useSignal<string | null>(null);
  const set = async (url: string | null): Promise<void> => {
    problem.value = null;
    try {
      await records.setWebhook(url);
      found.refresh();
    } catch (failure) {
      const shown = noteFailure(failure);
      problem.value = shown && [shown.message, shown.hint].filter(Boolean).join(" ");
    }
  };
  if (!found.data) return null; // it answers admins only
  const { url, waiting, last } = found.data;
  return (
    <section class="facts" aria-label="Webhook">
      <h2>Webhook of the server</h2>
      {url === null
        ? <p class="faint small">Alerts of all projects can be posted to one address.</p>
        : <p>Alerts are posted to <code>{url}</code>{waiting > 0 && `; ${plural(waiting, "alert waits", "alerts wait")}`}.
            {last && (last.problem ? <span class="stale" role="alert">The last try failed {formatAgo(last.t)}: {last.problem}</span> : <span class="faint"> Last posted {formatAgo(last.t)}.</span>)}</p>}
      <form class="rule-form" onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget as HTMLFormElement;
        void set(String(new FormData(form).get("url") ?? "")).then(() => form.reset());
      }}>
        <label>Address<input class="field" name="url" type="url" required placeholder="https://…" autocomplete="off" spellcheck={false} /></label>
        <button class="button" type="submit">{url === null ? "Set" : "Change"}</button>
        {url !== null && <button class="button" type="button" onClick={() => void set(null)}>Remove</button>}
      </form>
      {problem.value && <p class="stale" role="alert">{problem.value}</p>}
    </section>
  );
}
