/** A run's alerts, and the rules of its project that raise them. */

import "./alerts.css";
import { records, type Alert } from "../../api/records";
import type { RunAnswer } from "../../api/types";
import { ErrorNotice, Notice } from "../../components/Notice";
import { plural } from "../../format/number";
import { formatAgo, formatTime } from "../../format/time";
import { now } from "../../state/store";
import { useResource } from "../resource";
import { Rules } from "./Rules";
import { Webhook } from "./Webhook";

const PAGE = 1000;
const PAGES = 5;

export default function AlertsTab({ record }: { record: RunAnswer }) {
  const { project, id } = record;
  const found = useResource(JSON.stringify(["alerts", project, id]), (signal) => allAlerts(project, id, signal), { project, run: id, kinds: ["alert"] });
  return (
    <div class="alerts">
      <section aria-label="Alerts">
        <header class="panel-head"><h2>{found.data ? plural(found.data.alerts.length, "alert") : "Alerts"}</h2></header>
        {found.error && (found.data ? <p class="stale" role="alert">{found.error.message} The list is as of the last update.</p> : <ErrorNotice error={found.error} onRetry={found.refresh} />)}
        {!found.data && !found.error && <div class="skeleton-rows" role="status" aria-label="Loading the alerts" />}
        {found.data?.alerts.length === 0 && (
          <Notice title="No alert"><p>Scripts raise them with <code>core.alert("title", "text")</code>; rules raise them by themselves.</p></Notice>
        )}
        <ol class="alert-list">
          {found.data?.alerts.map((one) => (
            <li key={one.id} class={`alert is-${one.level}`}>
              <header>
                <span class="alert-level">{one.level}</span>
                <h3>{one.title}</h3>
                <span class="faint small" title={formatTime(one.t)}>{formatAgo(one.t, now.value / 1000)}</span>
              </header>
              {one.text && <p>{one.text}</p>}
              {one.rule !== null && <p class="faint small">raised by a rule</p>}
            </li>
          ))}
        </ol>
        {found.data?.isCut && <p class="faint">Only the newest of the first {(PAGE * PAGES).toLocaleString("en-US")} are shown.</p>}
      </section>
      <div>
        <Rules project={project} metrics={record.metrics.map((one) => one.key)} />
        <Webhook />
      </div>
    </div>
  );
}

/** The newest first. */
async function allAlerts(project: string, run: string, signal: AbortSignal): Promise<{ alerts: Alert[]; isCut: boolean }> {
  const alerts: Alert[] = [];
  let after: string | null = null;
  for (let page = 0; page < PAGES; page++) {
    const answer: { alerts: Alert[]; next: string | null } = await records.alerts(project, run, { after, limit: PAGE }, signal);
    alerts.push(...answer.alerts);
    after = answer.next;
    if (after === null) break;
  }
  return { alerts: alerts.reverse(), isCut: after !== null };
}
